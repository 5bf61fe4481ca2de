"""Golden samples: a few real windows with known answers, by which a device proves itself.

Chosen so that swapped labels, another normalisation or a broken kernel change the answer: for each
label the window that the float source is surest of, then the surest background, then the windows
nearest to a decision.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from edge_sdk.contract.golden import MOST_BOUND
from edge_sdk.contract.manifest import Precision
from edge_sdk.contract.values import Float32Array
from edge_sdk.inference.scorer import AudioScorer

from ..data.clip_windows import read_windows
from ..data.dataset import Dataset
from ..data.labelled_set import LabelledSet
from .scoring import Scores, WindowPlace
from .trial import GoldenSamples, Tolerance

__all__ = [
    "FEWEST_SAMPLES",
    "LEAST_BOUND",
    "MOST_SAMPLES",
    "SAFETY_FACTOR",
    "choose_places",
    "indistinct_labels",
    "measured_tolerance",
    "read_golden",
]

MOST_SAMPLES = 16
"""Golden samples are sound: at 2 s and 16 kHz each takes 128 KB of the bundle."""

FEWEST_SAMPLES = 8

SAFETY_FACTOR = 2.0
"""Kernels of other processors round otherwise than the ones measured here; by how much more is a guess
that errs towards admitting a healthy device, while swaps move scores by tenths."""

LEAST_BOUND: dict[Precision, float] = {
    "float32": 1e-3,
    "float16": 5e-3,
    "dynamic": 2e-2,
    "int8": 2e-2,
    "mixed": 2e-2,
    "int16x8": 5e-3,
    "as_given": 2e-2,
}
"""Where kernels agree to the bit here, they may still differ by a rounding step a layer elsewhere."""


def choose_places(
    dataset: LabelledSet[Any],
    scores: Scores,
    thresholds: Mapping[str, float],
    *,
    fewest: int = FEWEST_SAMPLES,
    most: int = MOST_SAMPLES,
) -> list[WindowPlace]:
    """Choose windows by the float source's scores; the same scores give the same choice.

    Args:
        dataset: What was scored.
        scores: By the float source.
        thresholds: By label id; a label without one is decided at 0.5.
        fewest: How many to choose at least, as far as there are so many.
        most: How many to choose at most.
    """
    truth = dataset.truth[np.array([place.sample for place in scores.places])]
    limits = np.array([thresholds.get(label_id, 0.5) for label_id in dataset.label_ids], dtype=np.float32)
    surest = [
        int(np.argmax(np.where(truth[:, column], scores.windows[:, column], -1.0)))
        for column in np.flatnonzero(truth.any(axis=0))[: most - 1]
    ]
    background = ~truth.any(axis=1)
    if background.any():
        surest.append(int(np.argmin(np.where(background, scores.windows.max(axis=1), 2.0))))
    nearest = np.argsort(np.abs(scores.windows - limits).min(axis=1), kind="stable")
    chosen = list(dict.fromkeys(surest))
    wanted = min(max(fewest, len(chosen)), most, len(scores.places))
    chosen += [int(index) for index in nearest if int(index) not in chosen][: wanted - len(chosen)]
    return [scores.places[index] for index in chosen]


def read_golden(dataset: Dataset, places: Sequence[WindowPlace], source: AudioScorer) -> GoldenSamples:
    """Read the chosen windows, and let the float source answer each on its own."""
    audio = source.audio
    starts: dict[int, list[int]] = {}
    for place in places:
        starts.setdefault(place.sample, []).append(place.start)
    sounds: dict[WindowPlace, Float32Array] = {}
    for index, wanted in starts.items():
        windows = read_windows(dataset.clips[index], audio.sample_rate_hz, audio.window_samples, wanted)
        sounds |= {WindowPlace(index, start): window for start, window in zip(wanted, windows, strict=True)}
    inputs = [sounds[place] for place in places]
    return GoldenSamples(
        inputs=np.stack(inputs),
        expected=np.stack([source.score_window(window) for window in inputs]),
        names=tuple(
            f"{dataset.clips[place.sample].name} at {place.start / audio.sample_rate_hz:g} s"
            for place in places
        ),
    )


def measured_tolerance(precision: Precision, answers: Sequence[Float32Array]) -> Tolerance:
    """How far a healthy device's scores may be from the first of several kernel sets'.

    Args:
        precision: Of the variant.
        answers: Scores ``[n, labels]`` under each kernel set, the reference first.
    """
    measured = max(float(np.abs(other - answers[0]).max()) for other in answers[1:])
    bound = min(MOST_BOUND, max(LEAST_BOUND[precision], SAFETY_FACTOR * measured))
    return Tolerance(bound, difference=measured)


def indistinct_labels(
    label_ids: Sequence[str], expected: Float32Array, bound: float
) -> Iterator[tuple[str, str]]:
    """Pairs of labels whose exchange the golden samples would not notice: of a thousand, half a million."""
    for column, label_id in enumerate(label_ids):
        difference = np.abs(expected[:, column + 1 :] - expected[:, column : column + 1]).max(axis=0)
        for other in np.flatnonzero(difference <= bound):
            yield label_id, label_ids[column + 1 + int(other)]

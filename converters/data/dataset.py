"""Labelled recordings: folders by class, or a CSV where a recording has several labels.

::

    evaluation/
        chainsaw/*.wav         the folder's name is a label's id
        gunshot/near/*.flac    folders inside it belong to it
        background/*.ogg       none of the labels; `_background` is the same
        labels.csv             optional: file,labels   mixed/a.wav,chainsaw;gunshot

A file that the CSV lists has the labels listed there and no others. Text files and hidden files
are passed over; everything else must be sound, and every file that is not is named at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_sdk.console.foreign_text import valid_text
from edge_sdk.console.progress import Progress, SilentProgress
from edge_sdk.contract.manifest import SourceFile
from edge_sdk.errors import AudioError, DatasetError, InputError, UsageError
from edge_sdk.signal.audio_file import AudioFile

from ..spec.nearest_name import nearest_hint
from .label_list import BACKGROUND, LABELS_CSV, read_label_list

__all__ = ["BLOCK_S", "Clip", "Dataset", "check_folder", "read_dataset", "refuse_shared_files"]

BLOCK_S = 5.0
"""How much of a recording is held at a time."""

_TEXT_SUFFIXES = (".txt", ".md", ".csv", ".tsv", ".json", ".toml", ".html", ".pdf")
_MOST_NAMED = 20
_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Clip:
    """One labelled recording.

    Attributes:
        name: Its path below the data set's folder, with forward slashes.
        path: The file.
        labels: Ids of what is heard; empty for background.
        sha256: Digest of the file.
        duration_s: Its length.
    """

    name: str
    path: Path
    labels: frozenset[str]
    sha256: str
    duration_s: float


@dataclass(frozen=True)
class Dataset:
    """Labelled recordings in the order of their names.

    Attributes:
        root: The folder.
        label_ids: All labels of the model, in its order.
        clips: The recordings.
    """

    root: Path
    label_ids: tuple[str, ...]
    clips: tuple[Clip, ...]

    @property
    def truth(self) -> npt.NDArray[np.bool_]:
        """Which labels each clip has, shape ``[clips, labels]``."""
        rows = [[label_id in clip.labels for label_id in self.label_ids] for clip in self.clips]
        return np.array(rows, dtype=np.bool_).reshape(len(self.clips), len(self.label_ids))

    @property
    def covered(self) -> tuple[str, ...]:
        """Labels that at least one clip has, in the model's order."""
        heard = frozenset[str]().union(*(clip.labels for clip in self.clips))
        return tuple(label_id for label_id in self.label_ids if label_id in heard)

    @property
    def digest(self) -> SourceFile:
        """The set by content: names, labels and files."""
        whole = hashlib.sha256()
        for clip in self.clips:
            whole.update(f"{clip.name}\0{';'.join(sorted(clip.labels))}\0{clip.sha256}\n".encode())
        return SourceFile(name=valid_text(self.root.name), sha256=whole.hexdigest(), n=len(self.clips))


def read_dataset(
    root: Path, label_ids: Sequence[str], *, progress: Progress | None = None, what: str = "recordings"
) -> Dataset:
    """Find all recordings below a folder, and listen through each once.

    Args:
        root: The folder.
        label_ids: The model's labels.
        progress: Told how far it is.
        what: What to call the recordings there.

    Raises:
        UsageError: There is no such folder.
        DatasetError: A folder or CSV row names no label (the nearest is in the hint), or files
            cannot be used: all of them are named.
    """
    check_folder(root)
    labels = _labels_by_file(root, tuple(label_ids))
    if not labels:
        raise DatasetError(f"{root} holds no recordings", hint="put WAV, FLAC or OGG files into its folders")
    clips: list[Clip] = []
    faults: list[str] = []
    told = progress or SilentProgress()
    for path in told.track(sorted(labels), f"reading {what}"):
        clip = _try_clip(root, path, labels[path], told)
        if isinstance(clip, Clip):
            clips.append(clip)
        else:
            faults.append(clip)
    if faults:
        shown = "\n  ".join(faults[:_MOST_NAMED])
        more = f"\n  and {len(faults) - _MOST_NAMED} more" if len(faults) > _MOST_NAMED else ""
        raise DatasetError(
            f"{len(faults)} of {len(labels)} recordings in {root} cannot be used:\n  {shown}{more}",
            hint="repair, rename or remove them",
        )
    _refuse_contradictions(root, clips)
    return Dataset(root, tuple(label_ids), tuple(clips))


def check_folder(root: Path) -> None:
    """Refuse recordings that are not there.

    Raises:
        UsageError: There is no such folder.
    """
    if not root.is_dir():
        raise UsageError(f"there is no folder {root}", hint="give a folder with one folder a label")


def refuse_shared_files(calibration: Dataset, evaluation: Dataset) -> None:
    """Refuse to judge a model on recordings that it was calibrated with.

    Raises:
        DatasetError: A recording, by content, is in both; names some of them.
    """
    known = {clip.sha256: clip.name for clip in calibration.clips}
    shared = [
        f"{clip.name} (calibration: {known[clip.sha256]})"
        for clip in evaluation.clips
        if clip.sha256 in known
    ]
    if shared:
        raise DatasetError(
            f"recordings are in both calibration and evaluation ({len(shared)}): {', '.join(shared[:5])}",
            hint="split by source recording; figures from shared recordings would be too good",
        )


def _refuse_contradictions(root: Path, clips: Sequence[Clip]) -> None:
    """The same recording cannot be in two folders: it would be right in one and wrong in the other."""
    first: dict[str, Clip] = {}
    for clip in clips:
        known = first.setdefault(clip.sha256, clip)
        if known.labels != clip.labels:
            raise DatasetError(
                f"{known.name} and {clip.name} in {root} are the same recording with different labels",
                hint=f"keep one; a recording with several labels is listed in {LABELS_CSV}",
            )


def _labels_by_file(root: Path, label_ids: tuple[str, ...]) -> dict[Path, frozenset[str]]:
    listed = read_label_list(root, label_ids)
    found: dict[Path, frozenset[str]] = {}
    for path in sorted(root.rglob("*")):
        inside = path.relative_to(root)
        if not path.is_file() or any(part.startswith(".") for part in inside.parts):
            continue
        if path.suffix.lower() in _TEXT_SUFFIXES:
            continue
        found[path] = listed[path].labels if path in listed else _folder_labels(root, path, label_ids)
    for path, row in listed.items():
        if path not in found:
            raise DatasetError(
                f"{root / LABELS_CSV} line {row.line} names '{path.relative_to(root)}', "
                "which is no recording there"
            )
    return found


def _folder_labels(root: Path, path: Path, label_ids: tuple[str, ...]) -> frozenset[str]:
    parts = path.relative_to(root).parts
    if len(parts) == 1:
        raise DatasetError(
            f"{path} is in no label's folder", hint=f"move it into one, or list it in {root / LABELS_CSV}"
        )
    if parts[0] in BACKGROUND and parts[0] not in label_ids:
        return frozenset()
    if parts[0] not in label_ids:
        raise DatasetError(
            f"folder {root / parts[0]} is named after no label",
            hint=nearest_hint(parts[0], [*label_ids, "background"]),
        )
    return frozenset({parts[0]})


def _try_clip(root: Path, path: Path, labels: frozenset[str], progress: Progress) -> Clip | str:
    """The clip, or what is wrong with it."""
    try:
        return Clip(_name(root, path), path, labels, _digest(path), _listen(path, progress))
    except InputError as error:
        return error.message


def _name(root: Path, path: Path) -> str:
    """The clip's name in reports and digests, which are UTF-8.

    Raises:
        DatasetError: It cannot be written there. Two such names could look the same if replaced.
    """
    name = path.relative_to(root).as_posix()
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise DatasetError(f"{name!r} in {root} is no UTF-8 name; rename it") from error
    return name


def _digest(path: Path) -> str:
    """SHA-256 of a file of any length."""
    whole = hashlib.sha256()
    try:
        with path.open("rb") as content:
            while part := content.read(_READ_BYTES):
                whole.update(part)
    except OSError as error:
        raise AudioError(f"{path} cannot be opened: {error.strerror}") from error
    return whole.hexdigest()


def _listen(path: Path, progress: Progress) -> float:
    """Decode a whole recording, so that damage is found before work starts; gives its seconds."""
    with AudioFile.open(path) as recording:
        rate, heard = recording.sample_rate_hz, 0
        for block in recording.blocks(max(1, round(BLOCK_S * rate))):
            heard += len(block)
            if recording.frames:
                progress.within(heard / recording.frames)
        return heard / rate

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

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_sdk.console.progress import Progress, SilentProgress
from edge_sdk.signal.audio_file import AudioFile

from .labelled_set import LabelledSet
from .nouns import RECORDINGS
from .sample_files import digest_file, name_below, read_by_class

__all__ = ["BLOCK_S", "Clip", "Dataset", "read_dataset"]

BLOCK_S = 5.0
"""How much of a recording is held at a time."""


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

    @property
    def truth_text(self) -> str:
        """See :class:`.labelled_set.Sample`."""
        return ";".join(sorted(self.labels))


class Dataset(LabelledSet[Clip]):
    """Labelled recordings in the order of their names."""

    @property
    def clips(self) -> tuple[Clip, ...]:
        """The recordings."""
        return self.samples


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
        UsageError, DatasetError: See :func:`.sample_files.read_by_class`.
    """
    told, ids = progress or SilentProgress(), tuple(label_ids)

    def read(path: Path, labels: frozenset[str]) -> Clip:
        return Clip(name_below(root, path), path, labels, digest_file(path), _listen(path, told))

    return Dataset(root, ids, read_by_class(root, ids, read, told, what, RECORDINGS))


def _listen(path: Path, progress: Progress) -> float:
    """Decode a whole recording, so that damage is found before work starts; gives its seconds."""
    with AudioFile.open(path) as recording:
        rate, heard = recording.sample_rate_hz, 0
        for block in recording.blocks(max(1, round(BLOCK_S * rate))):
            heard += len(block)
            if recording.frames:
                progress.within(heard / recording.frames)
        return heard / rate

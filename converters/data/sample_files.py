"""Finding labelled files in folders by class, and reading each once before any work starts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from edge_sdk.console.progress import Progress
from edge_sdk.contract.nearest_name import nearest_hint
from edge_sdk.errors import DatasetError, InputError, UsageError

from .label_list import BACKGROUND, LABELS_CSV, read_label_list
from .labelled_set import Sample, refuse_contradictions
from .nouns import Nouns

__all__ = [
    "check_folder",
    "digest_file",
    "files_below",
    "listed",
    "name_below",
    "read_by_class",
    "read_each",
    "sample_paths",
]

_TEXT_SUFFIXES = (".txt", ".md", ".csv", ".tsv", ".json", ".xml", ".toml", ".html", ".pdf")
_MOST_NAMED = 20
_READ_BYTES = 1 << 20

_SampleT = TypeVar("_SampleT", bound=Sample)


def listed(faults: Sequence[str]) -> str:
    """Faults for a message, one a line, at most 20 of them."""
    shown = "\n  ".join(faults[:_MOST_NAMED])
    return shown + (f"\n  and {len(faults) - _MOST_NAMED} more" if len(faults) > _MOST_NAMED else "")


def check_folder(root: Path) -> None:
    """Refuse samples that are not there.

    Raises:
        UsageError: There is no such folder.
    """
    if not root.is_dir():
        raise UsageError(f"there is no folder {root}", hint="give a folder with one folder a label")


def files_below(root: Path) -> Iterator[Path]:
    """All files below a folder but hidden ones, in the order of their names.

    Links are followed: data sets are often split by links alone. One that leads nowhere is given too,
    so that what it stands for is missed when it is read.

    Raises:
        DatasetError: A folder cannot be read, or is a link to one that it lies in.
    """
    return _below(root, ())


def sample_paths(root: Path) -> Iterator[Path]:
    """The same without text.

    Raises:
        DatasetError: See :func:`files_below`.
    """
    return (path for path in files_below(root) if path.suffix.lower() not in _TEXT_SUFFIXES)


def read_by_class(
    root: Path,
    label_ids: tuple[str, ...],
    read: Callable[[Path, frozenset[str]], _SampleT],
    progress: Progress,
    what: str,
    nouns: Nouns,
) -> tuple[_SampleT, ...]:
    """Read labelled files: each has the labels that ``labels.csv`` lists, else its folder's.

    Args:
        root: The folder.
        label_ids: The model's labels.
        read: Gives the sample of one file, with its labels.
        progress: Told how far it is.
        what: What to call the files there.
        nouns: What to call them in messages.

    Raises:
        UsageError: There is no such folder.
        DatasetError: A folder or CSV row names no label (the nearest is in the hint), a row names no
            file, one file is there with two labels, there is none at all, or some cannot be used: all
            of them are named.
    """
    check_folder(root)
    labels = _labels_by_file(root, label_ids, nouns)
    samples = read_each(root, sorted(labels), lambda path: read(path, labels[path]), progress, what, nouns)
    hint = f"keep one; a {nouns.one} with several labels is listed in {LABELS_CSV}"
    refuse_contradictions(root, samples, nouns, hint)
    return tuple(samples)


def read_each(
    root: Path,
    paths: Iterable[Path],
    read: Callable[[Path], _SampleT],
    progress: Progress,
    what: str,
    nouns: Nouns,
) -> list[_SampleT]:
    """Read every file, so that damage is found before work starts.

    Args:
        root: The folder, for messages.
        paths: The files.
        read: Gives the sample of one file.
        progress: Told how far it is.
        what: What to call the files there.
        nouns: What to call them in messages.

    Raises:
        DatasetError: Files cannot be used: all of them are named, up to 20.
    """
    samples: list[_SampleT] = []
    faults: list[str] = []
    for path in progress.track(list(paths), f"reading {what}"):
        sample = _try_read(path, read)
        if isinstance(sample, InputError):
            faults.append(sample.message)
        else:
            samples.append(sample)
    if faults:
        total = len(faults) + len(samples)
        raise DatasetError(
            f"{len(faults)} of {total} {nouns.many} in {root} cannot be used:\n  {listed(faults)}",
            hint="repair, rename or remove them",
        )
    return samples


def name_below(root: Path, path: Path) -> str:
    """A file's name in reports and digests, which are UTF-8.

    Raises:
        DatasetError: It cannot be written there. Two such names could look the same if replaced.
    """
    name = path.relative_to(root).as_posix()
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise DatasetError(f"{name!r} in {root} is no UTF-8 name; rename it") from error
    return name


def digest_file(path: Path) -> str:
    """SHA-256 of a file of any length.

    Raises:
        DatasetError: It cannot be read.
    """
    whole = hashlib.sha256()
    try:
        with path.open("rb") as content:
            while part := content.read(_READ_BYTES):
                whole.update(part)
    except OSError as error:
        raise DatasetError(f"{path} cannot be opened: {error.strerror}") from error
    return whole.hexdigest()


def _try_read(path: Path, read: Callable[[Path], _SampleT]) -> _SampleT | InputError:
    if not path.exists():
        return DatasetError(f"{path} is a link that leads nowhere")
    try:
        return read(path)
    except InputError as error:
        return error


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


def _labels_by_file(root: Path, label_ids: tuple[str, ...], nouns: Nouns) -> dict[Path, frozenset[str]]:
    rows = read_label_list(root, label_ids)
    found = {
        path: rows[path].labels if path in rows else _folder_labels(root, path, label_ids)
        for path in sample_paths(root)
    }
    for path, row in rows.items():
        if path not in found:
            raise DatasetError(
                f"{root / LABELS_CSV} line {row.line} names '{path.relative_to(root)}', "
                f"which is no {nouns.one} there"
            )
    if not found:
        raise DatasetError(
            f"{root} holds no {nouns.many}", hint=f"put {nouns.files} files into its folders, one a label"
        )
    return found


def _below(folder: Path, above: tuple[Path, ...]) -> Iterator[Path]:
    try:
        place, entries = folder.resolve(), sorted(folder.iterdir())
        folders = {entry for entry in entries if entry.is_dir()}
    except OSError as error:
        raise DatasetError(f"cannot read folder {folder}: {error.strerror or error}") from error
    if place in above:
        raise DatasetError(f"{folder} is a link to a folder that it lies in", hint="remove the link")
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry in folders:
            yield from _below(entry, (*above, place))
        elif entry.is_file() or entry.is_symlink():
            yield entry

"""``labels.csv``: the labels of single recordings.

::

    file,labels
    mixed/a.wav,chainsaw;gunshot
    mixed/b.wav,background

Labels that were lost on the way would make a good model look bad and a bad one good, so a row that
is not exactly this is refused, with its line. Background has to be said.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge_sdk.contract.nearest_name import nearest_hint
from edge_sdk.errors import DatasetError

__all__ = ["BACKGROUND", "LABELS_CSV", "ListedLabels", "read_label_list"]

LABELS_CSV = "labels.csv"

BACKGROUND = ("background", "_background")
"""None of the labels, unless the model has a label of that name."""

_HEADINGS = ["file", "labels"]


@dataclass(frozen=True, slots=True)
class ListedLabels:
    """One row.

    Attributes:
        line: Where it ends, counted from 1.
        labels: Ids of what is heard; empty for background.
    """

    line: int
    labels: frozenset[str]


def read_label_list(root: Path, label_ids: tuple[str, ...]) -> dict[Path, ListedLabels]:
    """The rows of a folder's ``labels.csv`` by file; none without one.

    Args:
        root: The folder.
        label_ids: The model's labels.

    Raises:
        DatasetError: A row has a column too few or too many, names a file outside the folder or one
            that another row names, or names no label (the nearest is in the hint).
    """
    path = root / LABELS_CSV
    listed: dict[Path, ListedLabels] = {}
    for line, row in _rows(path) if path.is_file() else ():
        where = f"{path} line {line}"
        name, text = _columns(where, row)
        file = root / _inside(where, name)
        if file in listed:
            raise DatasetError(
                f"{where}: '{name}' is in line {listed[file].line} already",
                hint="give all its labels in one line: FILE,chainsaw;gunshot",
            )
        listed[file] = ListedLabels(line, _labels(where, text, label_ids))
    return listed


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Lines with something in them, below the headings."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"cannot read {path}: {error}") from error
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        headings = [heading.strip() for heading in next(rows, [])]
        if headings != _HEADINGS:
            raise DatasetError(f"the first line of {path} must be '{','.join(_HEADINGS)}'")
        for row in rows:
            if row:
                yield rows.line_num, row
    except csv.Error as error:
        raise DatasetError(f"{path} line {rows.line_num} is no CSV: {error}") from error


def _columns(where: str, row: list[str]) -> tuple[str, str]:
    if not any(cell.strip("; ") for cell in row[1:]):  # none, or what a spreadsheet writes for an empty cell
        raise DatasetError(
            f"{where} has no labels: '{row[0]}'", hint=f"for none of the labels: {row[0]},{BACKGROUND[0]}"
        )
    if len(row) > len(_HEADINGS):
        raise DatasetError(
            f"{where} has {len(row)} columns instead of {len(_HEADINGS)}: '{','.join(row)}'",
            hint=f"labels are separated by semicolons: {row[0]},{';'.join(filter(None, row[1:]))}",
        )
    return row[0].strip(), row[1]


def _inside(where: str, name: str) -> Path:
    """The file's path below the folder."""
    path = Path(os.path.normpath(name)) if name else Path()
    if path == Path():
        raise DatasetError(f"{where} names no file")
    if path.anchor or path.parts[0] == os.pardir:
        raise DatasetError(
            f"{where}: '{name}' is outside the folder",
            hint="give its path below the folder: mixed/a.wav",
        )
    return path


def _labels(where: str, text: str, label_ids: tuple[str, ...]) -> frozenset[str]:
    named = {part.strip() for part in text.split(";") if part.strip()}
    background = named & (set(BACKGROUND) - set(label_ids))
    labels = named - background
    for label_id in sorted(labels):
        if label_id not in label_ids:
            raise DatasetError(
                f"{where} names '{label_id}', which is no label",
                hint=nearest_hint(label_id, [*label_ids, BACKGROUND[0]]),
            )
    if background and labels:
        raise DatasetError(
            f"{where}: '{text.strip()}' is both background and a label",
            hint=f"{BACKGROUND[0]} means that none of the labels is heard",
        )
    return frozenset(labels)

"""``labels_file``: many labels in a file of their own, as models with hundreds of classes have.

``.txt``: one display name a line. ``.csv``: a header with ``name`` or ``display_name`` and, as they
apply, ``id`` and ``index`` (YAMNet's ``yamnet_class_map.csv`` reads as it is).
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

from edge_sdk.contract.manifest import Label
from edge_sdk.contract.nearest_name import nearest_hint
from edge_sdk.errors import SpecError

__all__ = ["LABEL_SETS", "label_id_of", "read_label_file", "read_label_set"]

_SETS_FOLDER = Path(__file__).with_name("label_sets")

_WITH_BACKGROUND = {"imagenet_background": "imagenet"}
"""As TensorFlow's older models have them: the output before the first label stands for none of them."""

LABEL_SETS = tuple(sorted([*(path.stem for path in _SETS_FOLDER.glob("*.csv")), *_WITH_BACKGROUND]))
"""Names that ``label_set`` may have."""

_IMAGENET_CLASSES = 1000

_ID = re.compile(r"[a-z0-9_]{1,64}\Z")


def label_id_of(name: str) -> str:
    """An id for a display name: ``"Gunshot, gunfire"`` becomes ``gunshot_gunfire``."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower().replace("'", "")).strip("_")[:64]


def read_label_set(path: Path, name: str) -> list[Label]:
    """Labels of a data set that many models were trained on.

    Args:
        path: The spec, for the message.
        name: One of :data:`LABEL_SETS`.

    Raises:
        SpecError: There is none of that name.
    """
    if name not in LABEL_SETS:
        raise SpecError(f"{path}: there is no label_set '{name}'", hint=nearest_hint(name, LABEL_SETS))
    labels = read_label_file(_SETS_FOLDER / f"{_WITH_BACKGROUND.get(name, name)}.csv")
    return [Label(id="background", name="background"), *labels] if name in _WITH_BACKGROUND else labels


def read_label_file(path: Path) -> list[Label]:
    """Read labels in the order of the model's outputs.

    Raises:
        SpecError: The file is missing or not of that form, a line within it is empty, an id is not
            ``[a-z0-9_]{1,64}``, or two labels have the same.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise SpecError(
            f"there is no labels_file {path}", hint="the spec names it from the folder that the spec is in"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"cannot read labels_file {path}: {error}") from error
    _refuse_gaps(path, text)
    rows = _csv_rows(path, text) if path.suffix.lower() == ".csv" else _text_rows(text)
    labels = [Label(id=label_id, name=name) for label_id, name in rows]
    if not labels:
        raise SpecError(f"labels_file {path} holds no labels")
    for label in labels:
        if not _ID.match(label.id):
            raise SpecError(f"{path}: '{label.id}' is no label id", hint="use 1 to 64 of a-z, 0-9 and '_'")
    _refuse_doubled(path, [label.id for label in labels])
    return labels


def _refuse_doubled(path: Path, ids: list[str]) -> None:
    doubled = next((label_id for label_id in ids if ids.count(label_id) > 1), None)
    if doubled is None:
        return
    first = ids.index(doubled)
    second = ids.index(doubled, first + 1)
    hint = "name each for what it is in a copy of the file, as 'crane (bird)' and 'crane (machine)'"
    if len(ids) >= _IMAGENET_CLASSES:
        hint += "; of ImageNet's, label_set = 'imagenet' or 'imagenet_background' does that"
    raise SpecError(
        f"{path}: labels {first + 1} and {second + 1} are both '{doubled}': alerts would not tell which",
        hint=hint,
    )


def _refuse_gaps(path: Path, text: str) -> None:
    lines = [line.strip() for line in text.rstrip().splitlines()]
    if "" in lines:
        raise SpecError(
            f"{path}: line {lines.index('') + 1} is empty, and the labels behind it would move up",
            hint="give each of the model's outputs a line, such as unused_12 where it stands for nothing",
        )


def _text_rows(text: str) -> list[tuple[str, str]]:
    names = [line.strip() for line in text.splitlines() if line.strip()]
    return [(label_id_of(name), name) for name in names]


def _csv_rows(path: Path, text: str) -> list[tuple[str, str]]:
    rows = list(csv.DictReader(text.splitlines()))
    columns = set(rows[0]) if rows else set()
    column = next((name for name in ("name", "display_name", "id") if name in columns), None)
    if column is None:
        raise SpecError(f"{path} needs a column 'name' or 'display_name' in its first line")
    for position, row in enumerate(rows):
        if (row.get("index") or str(position)) != str(position):
            raise SpecError(f"{path}: index {row['index']} stands in row {position}; sort the rows by index")
    return [(row.get("id") or label_id_of(row[column] or ""), row[column] or "") for row in rows]

"""Where in a document something does not hold: from msgspec's steps to the keys that a person wrote."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec.inspect import DictType, ListType, StructType, Type, UnionType

from .shown_value import may_be_secret

__all__ = ["Place", "find_place", "possible_types"]

_ANY = "..."  # msgspec's word for a key of a table with any keys
_STEP = re.compile(r"\.(?P<key>[\w-]+)|\[(?P<index>\d+|\.\.\.)\]")


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a document: its keys, what is written there, and what should be.

    Attributes:
        value: None where that is not known.
        is_item: Whether it is an item of a list.
    """

    keys: tuple[str, ...]
    value: Any
    types: tuple[Type, ...]
    is_item: bool = False

    def __str__(self) -> str:
        if self.is_unknown:
            return f"a value of {'.'.join(self.keys[:-1])}"
        # Which item of a list it is can be seen by what it says, where that is shown.
        is_seen = not isinstance(self.value, (dict, list)) and not self.is_secret
        return ".".join(self.keys[:-1] if self.is_item and is_seen else self.keys)

    @property
    def is_unknown(self) -> bool:
        """Whether it is somewhere in a table with any keys, and nobody knows below which."""
        return self.keys[-1:] == (_ANY,)

    @property
    def is_secret(self) -> bool:
        """Whether what is written there must not be shown."""
        return may_be_secret(self.keys, self.value)

    @property
    def structs(self) -> list[StructType]:
        """The tables with known keys that may stand there."""
        return [one for one in self.types if isinstance(one, StructType)]


def find_place(error: msgspec.ValidationError, document: Any, expected: Type, steps: str) -> Place:
    """Where something is wrong; of tables with any key msgspec does not say in which one.

    Args:
        error: What it raised.
        document: What it was given.
        expected: The type of the whole document.
        steps: Those that it names.
    """
    place = Place((), document, tuple(possible_types(expected)))
    for step in _STEP.finditer(steps):
        key = step["key"] or step["index"]
        if key == _ANY:
            key = _wrong_key(error, document, expected, place)
        if key == _ANY:
            return Place((*place.keys, _ANY), None, ())
        types = tuple(_item_types(place.types, key))
        place = Place((*place.keys, key), _item(place.value, key), types, isinstance(place.value, list))
    return place


def _wrong_key(error: msgspec.ValidationError, document: Any, expected: Type, table: Place) -> str:
    """The key of a table that is refused alike where the table holds nothing else."""
    if isinstance(expected, StructType) and isinstance(table.value, dict):
        for key, item in table.value.items():
            if _is_refused_alike(error, _with(document, table.keys, {key: item}), expected):
                return str(key)
    return _ANY


def _is_refused_alike(error: msgspec.ValidationError, document: Any, expected: StructType) -> bool:
    try:
        msgspec.convert(document, expected.cls)
    except msgspec.ValidationError as again:
        return str(again) == str(error)
    return False


def _with(document: Any, keys: Sequence[str], value: Any) -> Any:
    """The document with another value at a place."""
    if not keys:
        return value
    first, *rest = keys
    if isinstance(document, list):
        index = int(first)
        return [*document[:index], _with(document[index], rest, value), *document[index + 1 :]]
    return {**document, first: _with(document[first], rest, value)}


def _item(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return value.get(key)
    return value[int(key)] if isinstance(value, list) and key.isdigit() and int(key) < len(value) else None


def _item_types(types: Sequence[Type], key: str) -> Iterator[Type]:
    for one in types:
        if isinstance(one, ListType):
            yield from possible_types(one.item_type)
        elif isinstance(one, DictType):
            yield from possible_types(one.value_type)
        elif isinstance(one, StructType):
            for field in one.fields:
                if field.encode_name == key:
                    yield from possible_types(field.type)


def possible_types(expected: Type) -> Iterator[Type]:
    """The types themselves that something may have."""
    if isinstance(expected, UnionType):
        for member in expected.types:
            yield from possible_types(member)
    else:
        yield expected

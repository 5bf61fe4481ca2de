"""What does not hold in a document that a person wrote, in the words of that document.

msgspec names places as ``$.inference.onnx.providers`` and kinds as JSON does; a person who wrote TOML reads
``inference.onnx.providers`` and what to write instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec.inspect import DictType, ListType, LiteralType, StructType, Type, UnionType

from .contract.nearest_name import nearest_name
from .contract.pattern_words import in_words

__all__ = ["Invalid", "choices_hint", "invalid_value", "possible_types"]

_LONGEST_SHOWN = 40

_KINDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
}
_BOUNDS = {">=": "of at least", "<=": "of at most", ">": "above", "<": "below"}
_TRUTH = {**dict.fromkeys(("true", "yes", "on"), "true"), **dict.fromkeys(("false", "no", "off"), "false")}

_PLACE = re.compile(r"(?P<said>.*?)( - at `\$(?P<place>.*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.(?P<key>[\w-]+)|\[(?P<index>\d+|\.\.\.)\]")
_EXPECTED = re.compile(
    r"Expected `(?P<kinds>[^`]+)`( (?P<length>of length )?(?P<sign>[<>]=?) (?P<bound>\S+))?(, got `\w+`)?$"
)
_IN_WORDS = re.compile(r"Expected (?P<words>[^`].*)")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_MISSING = re.compile(r"Object missing required field `(?P<key>[\w-]+)`")
_NO_CHOICE = re.compile(r"Invalid (enum )?value( '(?P<given>.*)'| \S+)?$")


@dataclass(frozen=True, slots=True)
class Invalid:
    """What is wrong in a document.

    Attributes:
        message: Which key, and what about it.
        hint: What to write instead, where that is clear.
    """

    message: str
    hint: str | None


@dataclass(frozen=True, slots=True)
class _Place:
    """A place in a document: its keys, what is written there, and what should be."""

    keys: tuple[str, ...]
    value: Any
    types: tuple[Type, ...]

    def __str__(self) -> str:
        # Which item of a list is seen by what it says; only tables need be counted.
        keys = self.keys[:-1] if self.is_item and not isinstance(self.value, dict) else self.keys
        return ".".join(keys)

    @property
    def is_item(self) -> bool:
        """Whether it is an item of a list."""
        return bool(self.keys) and self.keys[-1].isdigit()


def invalid_value(error: msgspec.ValidationError, document: Any, expected: Type) -> Invalid:
    """What msgspec refused, in the words of the document.

    Args:
        error: What it raised.
        document: What it was given, as read from TOML.
        expected: The type of the whole document.
    """
    found = _PLACE.match(in_words(error))
    said, steps = (found["said"], found["place"] or "") if found is not None else (str(error), "")
    place = _place(document, expected, steps)
    hint = choices_hint(error, expected)
    missing, wrong, words = _MISSING.match(said), _EXPECTED.match(said), _IN_WORDS.match(said)
    if missing is not None:
        return _lacking(place, missing["key"], hint)
    if wrong is not None:
        return Invalid(f"{place} must be {_wanted(wrong)}{_but(place.value)}", hint or _instead(place, wrong))
    if words is not None:
        return Invalid(f"{place} must be {words['words']}{_but(place.value)}", hint)
    if _NO_CHOICE.match(said):
        return Invalid(f"{place}: {_shown(place.value)} is not known", hint)
    return Invalid(f"[{place}]: {said}" if place.keys else said, hint)  # what one of our structs said


def _wanted(wrong: re.Match[str]) -> str:
    kinds = [kind for kind in wrong["kinds"].split(" | ") if kind != "null"]
    what = " or ".join(_KINDS.get(kind, kind) for kind in kinds)
    if wrong["sign"] is None:
        return what
    bound = wrong["bound"].removesuffix(".0")
    if wrong["length"] is None:
        return f"{what} {_BOUNDS[wrong['sign']]} {bound}"
    unit = "characters" if kinds == ["str"] else "items"
    return f"{what} {_BOUNDS[wrong['sign']]} {bound} {unit.removesuffix('s') if bound == '1' else unit}"


def _but(value: Any) -> str:
    return "" if value is None else f", not {_shown(value)}"


def _shown(value: Any) -> str:
    """As TOML writes it, where that is short."""
    if isinstance(value, dict):
        return "a table"
    text = json.dumps(value, ensure_ascii=False, default=str)
    if len(text) <= _LONGEST_SHOWN:
        return text
    return "a list" if isinstance(value, list) else f"{text[:_LONGEST_SHOWN]}..."


def _instead(place: _Place, wrong: re.Match[str]) -> str | None:
    """What to write, where what was meant is clear."""
    kind, value, key = wrong["kinds"].split(" | ")[0], place.value, place.keys[-1]
    if kind == "array" and value == []:
        return f"name one at least, or leave {key} out"
    if isinstance(value, (dict, list)) or place.is_item:
        return None
    if kind == "object":
        return f"write its keys below [{place}]"
    meant = _meant(kind, value)
    return None if meant is None else f"write {key} = {meant}"


def _meant(kind: str, value: object) -> str | None:
    text = json.dumps(value, ensure_ascii=False, default=str)
    if kind == "array":
        return f"[{text}]"
    if kind == "bool":
        truth = _TRUTH.get(str(value).lower(), "true, or = false")
        return f"{truth}, without quotes" if isinstance(value, str) else truth
    if kind in ("int", "float") and isinstance(value, str) and _NUMBER.fullmatch(value):
        return f"{value}, without quotes"
    return f'"{text}", with quotes' if kind == "str" and not isinstance(value, (str, bool)) else None


def _lacking(place: _Place, key: str, choices: str | None) -> Invalid:
    message = f"{'.'.join([*place.keys, key])} is missing"
    if choices is not None:
        return Invalid(message, choices)
    if place.keys:
        table = f"the [[{'.'.join(place.keys[:-1])}]] that lacks it" if place.is_item else f"[{place}]"
        return Invalid(message, f"add {key} below {table}: a table that is there must be whole")
    needed = [field.encode_name for one in _structs(place.types) for field in one.fields if field.required]
    return Invalid(message, f"needed are: {', '.join(needed)}")


def _place(document: Any, expected: Type, steps: str) -> _Place:
    """Where msgspec's steps lead; of tables with any key it does not say in which one."""
    place = _Place((), document, tuple(possible_types(expected)))
    for step in _STEP.finditer(steps):
        key = step["key"] or (step["index"] if step["index"].isdigit() else _wrong_key(place))
        place = _Place((*place.keys, key), _item(place.value, key), tuple(_item_types(place.types, key)))
    return place


def _wrong_key(place: _Place) -> str:
    """The first key of a table whose own table does not hold."""
    classes = [one.cls for one in _structs(tuple(_item_types(place.types, "")))]
    items = place.value.items() if isinstance(place.value, dict) else ()
    return next((str(key) for key, item in items if not _holds(item, classes)), "...")


def _holds(item: Any, classes: Sequence[type]) -> bool:
    try:
        for one in classes:
            msgspec.convert(item, one)
    except msgspec.ValidationError:
        return False
    return True


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


def _structs(types: Sequence[Type]) -> list[StructType]:
    return [one for one in types if isinstance(one, StructType)]


def choices_hint(invalid: msgspec.ValidationError, expected: Type) -> str | None:
    """What a key may be, where it is none of a few words; else None.

    Args:
        invalid: What msgspec raised.
        expected: The type of the whole document.
    """
    found = _PLACE.match(str(invalid))
    if found is None:
        return None
    wrong, missing = _NO_CHOICE.match(found["said"]), _MISSING.match(found["said"])
    keys = _keys(found["place"] or "")
    if missing is not None:
        keys.append(missing["key"])
    elif wrong is None:
        return None
    choices = list(dict.fromkeys(str(choice) for choice in _choices(expected, keys)))
    if not choices:
        return None
    known = f"{keys[-1]} is one of {', '.join(choices)}"
    near = None if wrong is None or wrong["given"] is None else nearest_name(wrong["given"], choices)
    return known if near is None else f"did you mean '{near}'? {known}"


def _keys(place: str) -> list[str]:
    """``.image.layout`` as its keys; places in lists and in tables of any key are none."""
    return re.findall(r"\w+", re.sub(r"\[.*?\]", "", place))


def _choices(expected: Type, keys: Sequence[str]) -> Iterator[object]:
    """Each word that may stand where the keys lead to."""
    for one in possible_types(expected):
        if isinstance(one, ListType):
            yield from _choices(one.item_type, keys)
        elif isinstance(one, DictType):
            yield from _choices(one.value_type, keys)
        elif isinstance(one, StructType) and keys:
            if one.tag_field == keys[0]:
                yield one.tag
            for field in one.fields:
                if field.encode_name == keys[0]:
                    yield from _choices(field.type, keys[1:])
        elif isinstance(one, LiteralType) and not keys:
            yield from one.values

"""What does not hold in a document that a person wrote, in the words of that document.

msgspec names places as ``$.inference.onnx.providers`` and kinds as JSON does; a person who wrote TOML reads
``inference.onnx.providers`` and what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec.inspect import DictType, ListType, LiteralType, StructType, Type

from .contract.nearest_name import nearest_name
from .contract.pattern_words import in_words
from .document_place import Place, find_place, possible_types
from .shown_value import kind_of, shown, toml_text

__all__ = ["Invalid", "choices_hint", "invalid_value", "possible_types"]

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

_PLACE = re.compile(r"(?P<said>.*?)( - at `\$(?P<place>[^`]*)`)?$", re.DOTALL)
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


def invalid_value(
    error: msgspec.ValidationError, document: Any, expected: Type, names: Mapping[str, str] | None = None
) -> Invalid:
    """What msgspec refused, in the words of the document.

    Args:
        error: What it raised.
        document: What it was given, as read from TOML.
        expected: The type of the whole document.
        names: What a person knows places by who did not write them in a file: ``device.site`` by ``--site``.
    """
    found = _PLACE.match(in_words(error))
    said, steps = (found["said"], found["place"] or "") if found is not None else (str(error), "")
    place = find_place(error, document, expected, steps)
    name = (names or {}).get(str(place))
    where, hint = name or str(place), choices_hint(error, expected)
    missing, wrong, words = _MISSING.match(said), _EXPECTED.match(said), _IN_WORDS.match(said)
    if missing is not None:
        return _lacking(place, missing["key"], hint)
    if wrong is not None:
        but = _but(place, is_of_other_kind=wrong["sign"] is None)
        instead = _instead(place, wrong) if name is None else None  # an option is not written as in TOML
        return Invalid(f"{where} must be {_wanted(wrong)}{but}", hint or instead)
    if words is not None:
        return Invalid(f"{where} must be {words['words']}{_but(place, is_of_other_kind=False)}", hint)
    if _NO_CHOICE.match(said):
        what = "what is written there" if place.is_secret else shown(place.value)
        return Invalid(f"{where}: {what} is not known", hint)
    return Invalid(f"[{where}]: {said}" if place.keys else said, hint)  # what one of our structs said


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


def _but(place: Place, *, is_of_other_kind: bool) -> str:
    if place.value is None:
        return ""
    if place.is_secret:
        return f", not {kind_of(place.value)}" if is_of_other_kind else ""
    return f", not {shown(place.value)}"


def _instead(place: Place, wrong: re.Match[str]) -> str | None:
    """What to write, where what was meant is clear."""
    if place.value is None:
        return None
    kind, value, key = wrong["kinds"].split(" | ")[0], place.value, place.keys[-1]
    if kind == "array" and value == []:
        return f"name one at least, or leave {key} out"
    if isinstance(value, (dict, list)) or place.is_item:
        return None
    if kind == "object":
        return f"write its keys below [{place}]"
    meant = _meant(kind, value, is_secret=place.is_secret)
    return None if meant is None else f"write {key} = {meant}"


def _meant(kind: str, value: object, *, is_secret: bool) -> str | None:
    text = toml_text(value)
    if is_secret:
        text = '"..."' if isinstance(value, str) else "..."
    if kind == "array":
        return f"[{text}]"
    if kind == "bool":
        truth = _TRUTH.get(str(value).lower(), "true, or = false")
        return f"{truth}, without quotes" if isinstance(value, str) else truth
    if kind in ("int", "float") and isinstance(value, str) and _NUMBER.fullmatch(value):
        return f"{'...' if is_secret else value}, without quotes"
    return f'"{text}", with quotes' if kind == "str" and not isinstance(value, (str, bool)) else None


def _lacking(place: Place, key: str, choices: str | None) -> Invalid:
    if place.is_unknown:
        return Invalid(f"{place} lacks {key}", choices)
    message = f"{'.'.join([*place.keys, key])} is missing"
    if choices is not None:
        return Invalid(message, choices)
    if place.keys:
        table = f"the [[{'.'.join(place.keys[:-1])}]] that lacks it" if place.is_item else f"[{place}]"
        return Invalid(message, f"add {key} below {table}: a table that is there must be whole")
    needed = [field.encode_name for one in place.structs for field in one.fields if field.required]
    return Invalid(message, f"needed are: {', '.join(needed)}")


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

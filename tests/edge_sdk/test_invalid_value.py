"""What does not hold in a document is told in its own words, wherever in it that is."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta, Struct

from edge_sdk.contract.identifiers import LabelId
from edge_sdk.invalid_value import Invalid, invalid_value


class Sound(Struct, tag="sound", tag_field="kind"):
    rate_hz: int


class Picture(Struct, tag="picture", tag_field="kind"):
    width: int


class Label(Struct):
    id: LabelId
    weight: Annotated[float, Meta(gt=0.0)] = 1.0


class Document(Struct):
    labels: list[Label] = []
    input: Sound | Picture | None = None
    limits: dict[str, Label] = {}
    words: Annotated[str, Meta(min_length=1)] = "any"
    texts: dict[str, str] = {}
    inputs: dict[str, Sound | Picture | str] = {}
    numbers: dict[str, list[int]] = {}
    pairs: Annotated[dict[str, int], Meta(min_length=2)] | None = None
    couples: Annotated[dict[str, Label], Meta(min_length=2)] | None = None
    nested: dict[str, dict[str, int]] = {}
    rows: list[list[int]] = []

    def __post_init__(self) -> None:
        if self.words == "none":
            raise ValueError("words must say something")


def refused(document: dict[str, Any]) -> Invalid:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(document, Document)
    told = invalid_value(caught.value, document, msgspec.inspect.type_info(Document))
    assert "`" not in told.message
    assert "$" not in told.message
    return told


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (
            {"labels": [{"id": "a"}, {"id": "B c"}]},
            "labels.1.id must be 1 to 64 small letters, digits and '_', such as chainsaw, not \"B c\"",
        ),
        ({"labels": [{"id": "a", "weight": 0}]}, "labels.0.weight must be a number above 0, not 0"),
        ({"labels": ["a"]}, 'labels must be a table, not "a"'),
        ({"labels": [{}]}, "labels.0.id is missing"),
        ({"limits": {"a": {"id": "a"}, "b": {"id": 7}}}, "limits.b.id must be text, not 7"),
        ({"input": {"kind": "sound", "rate_hz": True}}, "input.rate_hz must be a whole number, not true"),
        ({"input": {"kind": "smell"}}, 'input.kind: "smell" is not known'),
        ({"words": ""}, 'words must be text of at least 1 character, not ""'),
        ({"words": {"a": 1}}, "words must be text, not a table"),
        ({"labels": 50 * "x"}, f'labels must be a list, not "{39 * "x"}...'),
        ({"words": "none"}, "words must say something"),
        ({"texts": {"a": "x", "b": 7}}, "texts.b must be text, not 7"),
        (
            {
                "inputs": {
                    "a": {"kind": "sound", "rate_hz": 1},
                    "b": "x",
                    "c": {"kind": "picture", "width": "1"},
                }
            },
            'inputs.c.width must be a whole number, not "1"',
        ),
        ({"nested": {"a": {"x": 1}, "b": {"y": 1, "z": "1"}}}, 'nested.b.z must be a whole number, not "1"'),
        ({"numbers": {"7": 1}}, "numbers.7 must be a list, not 1"),
        ({"numbers": {"7": [1, "x"]}}, 'numbers.7 must be a whole number, not "x"'),
        ({"rows": [[1], [2, [3]]]}, "rows.1.1 must be a whole number, not [3]"),
        ({"pairs": {"a": "x", "b": "y"}}, "a value of pairs must be a whole number"),
        ({"couples": {"a": {}, "b": {}}}, "a value of couples lacks id"),
    ],
)
def test_the_place_is_told_by_its_keys_and_with_what_stands_there(
    document: dict[str, Any], message: str
) -> None:
    assert refused(document).message == message


@pytest.mark.parametrize(
    ("document", "hint"),
    [
        ({"labels": [{}]}, "add id below the [[labels]] that lacks it: a table that is there must be whole"),
        ({"input": {"kind": "smell"}}, "kind is one of"),
        ({"input": {"kind": "sond"}}, "did you mean 'sound'?"),
        ({"input": {"kind": "sound", "rate_hz": "8000"}}, "write rate_hz = 8000, without quotes"),
        ({"labels": ["a"]}, None),
        ({"texts": {"a": "x", "b": 7}}, 'write b = "7", with quotes'),
        ({"numbers": {"7": 1}}, "write 7 = [1]"),
        ({"pairs": {"a": "x", "b": "y"}}, None),
    ],
)
def test_what_to_write_is_told_where_that_is_clear(document: dict[str, Any], hint: str | None) -> None:
    told = refused(document).hint
    assert told == hint if hint is None or told is None else told.startswith(hint)

"""A person who wrote a wrong name is told in words, and never shown a regular expression."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from edge_sdk.contract.identifiers import LabelId, Name, Sha256, Version
from edge_sdk.contract.messages import TopicName
from edge_sdk.contract.pattern_words import in_words


def refusal(kind: Any, value: object) -> str:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert({"it": value}, dict[str, kind])
    return in_words(caught.value)


@pytest.mark.parametrize(
    ("kind", "example"),
    [
        (Version, "three numbers such as 1.2.0"),
        (Name, "forest-sounds"),
        (LabelId, "chainsaw"),
        (TopicName, "box-07"),
        (Sha256, "64 hexadecimal digits"),
    ],
)
def test_a_pattern_is_told_in_words_with_the_place(kind: Any, example: str) -> None:
    message = refusal(kind, "Käse 1")
    assert example in message
    assert message.endswith(" - at `$[...]`")
    assert "regex" not in message
    assert "^" not in message


def test_other_errors_stay_as_they_are() -> None:
    assert refusal(int, "one") == "Expected `int`, got `str` - at `$[...]`"

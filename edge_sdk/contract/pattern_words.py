"""What a pattern of the contract asks for, in words: a person is never shown a regular expression."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from .identifiers import LabelId, Name, Sha256, Version
from .messages import TopicName

__all__ = ["in_words"]

_WORDS: tuple[tuple[Any, str], ...] = (
    (Version, "three numbers such as 1.2.0"),
    (Name, "1 to 64 small letters, digits, '.', '_' and '-', a letter or digit first, such as forest-sounds"),
    (LabelId, "1 to 64 small letters, digits and '_', such as chainsaw"),
    (TopicName, "1 to 64 small letters, digits, '_' and '-', such as box-07"),
    (Sha256, "64 hexadecimal digits in small letters"),
)
_EXPECTED = re.compile(r"Expected `str` matching regex (?P<pattern>'.*')")


def in_words(error: msgspec.ValidationError) -> str:
    """The error's message, with words where it shows a known pattern."""
    message = str(error)
    found = _EXPECTED.search(message)
    for kind, words in _WORDS:
        if found is not None and found["pattern"] == repr(kind.__metadata__[0].pattern):
            return f"{message[: found.start()]}Expected {words}{message[found.end() :]}"
    return message

"""A value of a document in a message: as TOML writes it, or by its kind where it may be a password."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

__all__ = ["kind_of", "may_be_secret", "shown", "toml_text"]

_LONGEST_SHOWN = 40

_GUARDED_TABLE = "broker"
_GUARDED_WORD = "password"
_ADDRESS_WITH_USER = re.compile(r"://.*@", re.DOTALL)

_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "true or false"),  # before the number that it is to Python
    (str, "text"),
    (int, "a number"),
    (float, "a number"),
    (list, "a list"),
    (dict, "a table"),
)


def may_be_secret(keys: Sequence[str], value: Any) -> bool:
    """Whether a value may hold a password; messages end in journals, which more people read than the file.

    Args:
        keys: Those that lead to it.
        value: What is written there.
    """
    if any(key == _GUARDED_TABLE or _GUARDED_WORD in key.lower() for key in keys):
        return True
    return _ADDRESS_WITH_USER.search(toml_text(value)) is not None


def shown(value: Any) -> str:
    """The value itself where that is short."""
    if isinstance(value, dict):
        return kind_of(value)
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return kind_of(value)  # the keys in it were not looked at
    text = toml_text(value)
    if len(text) <= _LONGEST_SHOWN:
        return text
    return kind_of(value) if isinstance(value, list) else f"{text[:_LONGEST_SHOWN]}..."


def kind_of(value: Any) -> str:
    """The kind of a value, in words."""
    return next((words for kind, words in _KINDS if isinstance(value, kind)), "a date or a time")


def toml_text(value: Any) -> str:
    """A value as it is written in TOML, but for tables."""
    return json.dumps(value, ensure_ascii=False, default=str)

"""Lines of a TOML file: what is known, and what a person has to fill in."""

from __future__ import annotations

import json
from typing import TypeAlias

from edge_sdk.toml_file import PLACEHOLDER

__all__ = ["Lines", "fill_in", "known"]

Lines: TypeAlias = list[str]


def known(key: str, value: str | float | bool, comment: str = "") -> str:  # noqa: FBT001  (a TOML value)
    """A key with its value."""
    return f"{key} = {json.dumps(value, ensure_ascii=False)}" + (f"  # {comment}" if comment else "")


def fill_in(key: str, comment: str) -> str:
    """A key whose value only a person knows: text, whatever it should be, so that it is refused."""
    return known(key, PLACEHOLDER, comment)

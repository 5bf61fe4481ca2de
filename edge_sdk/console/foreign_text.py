"""Text that others wrote: file names, descriptions, topics. None may command a terminal or break JSON."""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = ["json_text", "printable", "valid_text"]

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# How Python holds the bytes of a file name that are no UTF-8.
_SURROGATES = "\ud800-\udfff"
# C0, DEL and C1 begin terminal commands; the others break lines or turn the order of letters around.
_COMMANDS = "\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069"
_INVALID = re.compile(f"[{_SURROGATES}]")
_UNPRINTABLE = re.compile(f"[{_COMMANDS}{_SURROGATES}]")


def valid_text(text: str) -> str:
    """The text with the replacement character where it is no Unicode: what UTF-8 can encode."""
    return _INVALID.sub(_REPLACEMENT, text)


def printable(text: str, *, lines: bool = False) -> str:
    """The text with the replacement character for whatever is no character to look at.

    Args:
        text: From a file, a bundle or the network.
        lines: Whether it may have several lines.
    """
    shown = _UNPRINTABLE.sub(_REPLACEMENT, text)
    return shown if lines else shown.replace("\n", _REPLACEMENT)


def json_text(document: Any) -> str:
    """One JSON object in one line, fit for UTF-8 whatever names are in it.

    Args:
        document: Of dictionaries, lists, numbers, texts, booleans and ``None``.
    """
    return valid_text(json.dumps(document, ensure_ascii=False))

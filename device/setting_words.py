"""Settings in the words of the file that they are set in."""

from __future__ import annotations

import json

import msgspec
from msgspec import Struct

__all__ = ["setting_words"]


def setting_words(settings: Struct) -> dict[str, str]:
    """Each setting's value as TOML writes it, by its key, such as ``onnx.memory_arena``.

    Args:
        settings: A struct of values, and of structs of such; None is ``unset``.
    """
    return _words(msgspec.to_builtins(settings), "")


def _words(settings: dict[str, object], where: str) -> dict[str, str]:
    words: dict[str, str] = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            words |= _words(value, f"{where}{name}.")
        else:
            words[f"{where}{name}"] = "unset" if value is None else json.dumps(value, ensure_ascii=False)
    return words

"""Pillow, imported in this module only, by the first function that needs it."""

from __future__ import annotations

import importlib
from types import ModuleType

from ..errors import MissingExtraError

__all__ = ["load_pillow"]


def load_pillow(module: str) -> ModuleType:
    """Import one of Pillow's modules, for example ``Image``.

    Raises:
        MissingExtraError: Pillow is not installed.
    """
    try:
        return importlib.import_module(f"PIL.{module}")
    except ImportError as error:
        raise MissingExtraError("Pillow", "image") from error

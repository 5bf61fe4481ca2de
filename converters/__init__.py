"""The workstation: turn a trained model into a bundle, and prove what was made."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .evaluation import evaluate
    from .python_api import convert
    from .spec import ConversionSpec, load_spec

# Public name -> the module that defines it, loaded when the name is first asked for.
_HOMES: dict[str, str] = {
    "ConversionSpec": ".spec",
    "convert": ".python_api",
    "evaluate": ".evaluation",
    "load_spec": ".spec",
}

__all__ = ["ConversionSpec", "convert", "evaluate", "load_spec"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value: object = getattr(import_module(_HOMES[name], __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

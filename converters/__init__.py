"""The workstation: turn a trained model into a bundle, and prove what was made.

- :mod:`.spec`: SPEC.toml, what a person says about a model
- :mod:`.data`: labelled recordings and pictures
- :mod:`.sources`: opening the trained model, and holding it against the spec
- :mod:`.variants`: the forms that devices can run, made from it
- :mod:`.proof`: every variant run, scored, judged and timed
- :mod:`.report`: what was found out, as JSON, page and table

:mod:`.conversion` runs them in that order.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .evaluation.evaluate import evaluate
    from .python_api import convert
    from .spec.conversion_spec import ConversionSpec
    from .spec.spec_file import load_spec

# Public name -> the module that defines it, loaded when the name is first asked for.
_HOMES: dict[str, str] = {
    "ConversionSpec": ".spec.conversion_spec",
    "convert": ".python_api",
    "evaluate": ".evaluation.evaluate",
    "load_spec": ".spec.spec_file",
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

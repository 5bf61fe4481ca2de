"""The refusal of a model of which nothing can be made, for it is quantized."""

from __future__ import annotations

from edge_sdk.errors import ConversionError

__all__ = ["quantized_already"]


def quantized_already(what: str) -> ConversionError:
    """The error to raise.

    Args:
        what: What shows it, to follow "it is quantized already".
    """
    return ConversionError(
        f"it is quantized already{what}", hint="give the float model that it was made from"
    )

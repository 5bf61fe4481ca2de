"""The tensors of a ``.tflite`` called as the manifest calls them, whatever the converter made of that."""

from __future__ import annotations

from typing import Any

from edge_sdk.errors import ConversionError

from ..sources.source_model import TracedModel
from .tflite_packing import pack_model, unpack_model

__all__ = ["name_tensors", "set_names"]


def name_tensors(content: bytes, model: TracedModel) -> bytes:
    """Give input and outputs the source's names.

    Args:
        content: The ``.tflite``, with the signature that it was converted by.
        model: What it was made from.

    Raises:
        ConversionError: The signature does not have the model's outputs.
    """
    packed = unpack_model(content)
    set_names(packed, model)
    return pack_model(packed, len(content))


def set_names(packed: Any, model: TracedModel) -> None:
    """Change the names in a ``ModelT``.

    The converter keeps those of the source in the signature; tensors get names of its own, in another
    order. A tensor that is two outputs at once cannot have two names.

    Args:
        packed: ``ModelT``, changed in place.
        model: What it was made from.

    Raises:
        ConversionError: The signature does not have the model's outputs.
    """
    graph = packed.subgraphs[0]
    graph.tensors[graph.inputs[0]].name = model.input.name.encode()
    given = {entry.name.decode(): int(entry.tensorIndex) for entry in packed.signatureDefs[0].outputs}
    wanted = [spec.name for spec in model.outputs]
    if sorted(given) != sorted(wanted) or len(set(given.values())) != len(wanted):
        raise ConversionError(
            f"the TFLite converter gives outputs {', '.join(sorted(given))} for {', '.join(wanted)}"
        )
    for name in wanted:
        graph.tensors[given[name]].name = name.encode()
    graph.outputs = [given[name] for name in wanted]

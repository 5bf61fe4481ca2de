"""The tensors of a ``.tflite`` called as the manifest calls them, whatever the converter made of that."""

from __future__ import annotations

from typing import Any

from edge_sdk.errors import ConversionError, MissingExtraError

from ..sources.source_model import TracedModel

__all__ = ["flatbuffer_library", "name_tensors"]

_MODEL_IDENTIFIER = b"TFL3"


def name_tensors(content: bytes, model: TracedModel) -> bytes:
    """Give input and outputs the source's names.

    The converter keeps these in the signature; tensors get names of its own, in another order. A
    tensor that is two outputs at once cannot have two names.

    Args:
        content: The ``.tflite``, with the signature that it was converted by.
        model: What it was made from.

    Raises:
        ConversionError: The signature does not have the model's outputs.
    """
    builder_of, schema = flatbuffer_library()
    packed = schema.ModelT.InitFromPackedBuf(content, 0)
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
    builder = builder_of(1024)
    builder.Finish(packed.Pack(builder), _MODEL_IDENTIFIER)
    return bytes(builder.Output())


def flatbuffer_library() -> tuple[Any, Any]:
    """The flatbuffers builder and TFLite's schema.

    Raises:
        MissingExtraError: They are not installed.
    """
    try:
        import flatbuffers
        from ai_edge_litert import schema_py_generated
    except ImportError as error:
        raise MissingExtraError(error.name or "flatbuffers", "convert") from error
    return flatbuffers.Builder, schema_py_generated

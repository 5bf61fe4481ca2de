"""A ``.tflite`` as Python objects that can be changed, and back; its weights are copied once."""

from __future__ import annotations

from typing import Any

from edge_sdk.errors import MissingExtraError

__all__ = ["pack_model", "tflite_schema", "unpack_model"]

_MODEL_IDENTIFIER = b"TFL3"
_ROOM_BYTES = 1 << 16
"""For names and metadata beyond what the file had; a builder without room doubles, and copies."""


def tflite_schema() -> Any:
    """The classes of TFLite's file format.

    Raises:
        MissingExtraError: They are not installed.
    """
    try:
        from ai_edge_litert import schema_py_generated
    except ImportError as error:
        raise MissingExtraError("ai_edge_litert", "convert") from error
    return schema_py_generated


def unpack_model(content: bytes) -> Any:
    """The file as ``ModelT``. Weights are views into ``content``.

    Raises:
        MissingExtraError: The file format's classes are not installed.
    """
    return tflite_schema().ModelT.InitFromPackedBuf(content, 0)


def pack_model(model: Any, about_bytes: int) -> bytes:
    """The file again; the same model gives the same bytes.

    Args:
        model: ``ModelT``.
        about_bytes: Size of the file that it was unpacked from.

    Raises:
        MissingExtraError: flatbuffers is not installed.
    """
    try:
        import flatbuffers
    except ImportError as error:
        raise MissingExtraError("flatbuffers", "convert") from error
    builder = flatbuffers.Builder(about_bytes + _ROOM_BYTES)
    builder.Finish(model.Pack(builder), _MODEL_IDENTIFIER)
    return bytes(memoryview(builder.Bytes)[builder.Head() :])

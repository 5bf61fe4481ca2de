"""An ONNX file as TensorRT reads it, or what it refuses of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...errors import BackendError
from .foreign_errors import NOT_MADE, NOT_STARTED_HINT
from .library import Library
from .message_log import message_log
from .refusal import Refusal, parser_refusal

__all__ = ["ParsedModel", "parse_onnx"]


@dataclass(frozen=True)
class ParsedModel:
    """A network, and what it stands on: to drop one of them while another is in use crashes.

    Attributes:
        refusals: Why it cannot be built; then the network is not whole.
    """

    builder: Any
    network: Any
    parser: Any
    refusals: tuple[Refusal, ...]


def parse_onnx(library: Library, model: bytes) -> ParsedModel:
    """Read a model.

    Args:
        library: Whose parser.
        model: Content of the ``.onnx`` file, its weights in it.

    Raises:
        BackendError: The library does not start.
    """
    trt, log = library.trt, message_log(library.trt)
    count = log.count
    if hasattr(trt, "init_libnvinfer_plugins"):
        trt.init_libnvinfer_plugins(log, "")
    try:
        builder = trt.Builder(log)
        network = builder.create_network(library.network_flags)
        parser = trt.OnnxParser(network, log)
    except NOT_MADE as error:
        raise BackendError(f"{library} does not start: {log.since(count)}", hint=NOT_STARTED_HINT) from error
    native = getattr(getattr(trt, "OnnxParserFlag", None), "NATIVE_INSTANCENORM", None)
    if native is not None and hasattr(parser, "set_flag"):
        parser.set_flag(native)  # else 8.6 makes it of a plugin
    if parser.parse(model):
        return ParsedModel(builder, network, parser, ())
    found = [parser_refusal(parser.get_error(index), log.since(count)) for index in range(parser.num_errors)]
    return ParsedModel(builder, network, parser, tuple(found) or (Refusal("", "", log.since(count)),))

"""An ONNX file as TensorRT reads it, or what it refuses of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from ...errors import BackendError
from .foreign_errors import NOT_MADE
from .library import Library
from .message_log import message_log

__all__ = ["ParsedModel", "Refusal", "parse_onnx"]


class Refusal(Struct, frozen=True):
    """One thing that TensorRT refuses.

    Attributes:
        operator: Of the ONNX node; empty where TensorRT does not tell.
        node: Its name, or ``node N`` where TensorRT tells only its place; empty where neither.
        reason: In TensorRT's words.
    """

    operator: str
    node: str
    reason: str

    def __str__(self) -> str:
        where = f"{self.operator or 'node'} '{self.node}'" if self.node else self.operator
        return f"{where}: {self.reason}" if where else self.reason


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
        raise BackendError(
            f"{library} does not start: {log.since(count)}",
            hint="end what else uses the GPU's memory; `dmesg` may say more",
        ) from error
    native = getattr(getattr(trt, "OnnxParserFlag", None), "NATIVE_INSTANCENORM", None)
    if native is not None and hasattr(parser, "set_flag"):
        parser.set_flag(native)  # else 8.6 makes it of a plugin
    if parser.parse(model):
        return ParsedModel(builder, network, parser, ())
    found = [_refusal(parser.get_error(index), log.since(count)) for index in range(parser.num_errors)]
    return ParsedModel(builder, network, parser, tuple(found) or (Refusal("", "", log.since(count)),))


def _refusal(error: Any, told: str) -> Refusal:
    reason = re.sub(r"\s+", " ", error.desc()).strip()
    if reason in {"", "false"}:  # what became of a condition in its source; the code says more
        reason = error.code().name.replace("_", " ").lower()
    if hasattr(error, "node_operator"):
        return Refusal(error.node_operator() or "", error.node_name() or "", reason)
    place = error.node()  # 8.6 tells no name, and the operator only in its log
    operator = re.search(rf"parsing node number {place} \[(\w+)", told)
    return Refusal(operator[1] if operator else "", f"node {place}" if place >= 0 else "", reason)

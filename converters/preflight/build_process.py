"""The process that parses and builds one model; :mod:`.preflight` starts it, for it may crash or hang.

    python -m converters.preflight.build_process SECONDS

Standard input is the model. Standard output is JSON, a line each: first what builds, then a ``BuildCheck``.
After ``SECONDS`` the system ends it, wherever it is, whether or not anybody still waits.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from edge_sdk.contract.manifest import BuildCheck, BuildRefusal
from edge_sdk.errors import BackendError, MissingExtraError
from edge_sdk.inference.tensorrt.build import build_engine
from edge_sdk.inference.tensorrt.library import find_library
from edge_sdk.inference.tensorrt.products import TENSORRT_RTX
from edge_sdk.inference.tensorrt.refusal import Refusal

__all__ = ["Builder", "main"]


class Builder(Struct, frozen=True):
    """What builds."""

    tool: str
    version: str


def main(arguments: Sequence[str]) -> int:
    """Build, and tell what came of it.

    Returns:
        0, or 1 where the library does not load; standard error then says why.
    """
    signal.alarm(int(arguments[0]))
    output = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what a library prints is no line of ours
    model = sys.stdin.buffer.read()
    try:
        library = find_library(TENSORRT_RTX)
        output.write(msgspec.json.encode(Builder(library.product, library.version)) + b"\n")
        built = build_engine(library, model)
    except (BackendError, MissingExtraError) as error:
        print(error.message, file=sys.stderr)  # noqa: T201  (who started us reads it)
        return 1
    refusals = [_named(refusal, model) for refusal in built.refusals]
    check = BuildCheck(
        tool=library.product, version=library.version, passed=built.plan is not None, refusals=refusals
    )
    output.write(msgspec.json.encode(check) + b"\n")
    return 0


def _named(refusal: Refusal, model: bytes) -> BuildRefusal:
    """With the operator of the ONNX node, where the builder tells only what that is called."""
    operator = refusal.operator
    if refusal.node and not operator:
        operator = next((node.op_type for node in _nodes(model) if node.name == refusal.node), "")
    return BuildRefusal(operator=operator, node=refusal.node, reason=refusal.reason)


def _nodes(model: bytes) -> Sequence[Any]:
    import onnx

    return list(onnx.load_from_string(model).graph.node)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

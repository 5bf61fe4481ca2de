"""What differs between the releases of TensorRT that a fake one stands for."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

from fake_gpu import FakeGpu, raise_as_cpp

__all__ = ["NUMPY_TYPES", "RELEASES", "FakeLogger", "Release", "complain", "enum"]

RELEASES = {"8.6": "8.6.2", "10.3": "10.3.0", "11.4": "11.4.1", "rtx": "1.7.1.116"}

NUMPY_TYPES = {
    "FLOAT": "float32",
    "HALF": "float16",
    "INT8": "int8",
    "INT32": "int32",
    "INT64": "int64",
    "BOOL": "bool",
    "UINT8": "uint8",
}


def enum(name: str, *members: str) -> Any:
    """An enumeration, as TensorRT has them."""
    return IntEnum(name, {member: index for index, member in enumerate(members)})


class FakeLogger:
    """``ILogger``."""

    Severity = enum("Severity", "INTERNAL_ERROR", "ERROR", "WARNING", "INFO", "VERBOSE")

    def log(self, severity: Any, message: str) -> None:
        raise NotImplementedError


def complain(log: Any, message: str) -> None:
    """Say what is wrong, as TensorRT does: in the log."""
    log.log(FakeLogger.Severity.ERROR, message)


@dataclass(frozen=True)
class Release:
    """One release.

    Attributes:
        name: Of :data:`RELEASES`.
        gpu: Where it runs.
        behaviour: What goes wrong. In the builder: ``hang``, ``silent`` (no plan, no reason),
            ``wait:FILE`` (for it to be there), ``prints`` (half a line). In the runtime:
            ``invalid`` (says so, and loads it all the same), ``no_memory`` (to load it), ``no_context``,
            ``no_run``, ``no_capture`` (says so), ``breaks_capture`` (does not). In both: ``die:CALL``, a
            crash in that call, ``kill:CALL``, as the system does for want of memory, ``end:CALL``, as
            who stops a service does, and ``raise:CALL:ERROR``, as :func:`fake_gpu.raise_as_cpp` takes it.
    """

    name: str
    gpu: FakeGpu
    behaviour: str = ""

    @property
    def version(self) -> str:
        return RELEASES[self.name]

    @property
    def is_old(self) -> bool:
        """Whether its networks are weakly typed."""
        return self.name == "8.6"

    @property
    def is_rtx(self) -> bool:
        return self.name == "rtx"

    @property
    def has_precision_flags(self) -> bool:
        return self.name in {"8.6", "10.3"}

    def enums(self) -> dict[str, Any]:
        """The enumerations of its module."""
        flags = ["EXPLICIT_BATCH"] if self.has_precision_flags else []
        flags += [] if self.is_old else ["STRONGLY_TYPED"]
        found = {
            "DataType": enum(
                "DataType", *(kind for kind in NUMPY_TYPES if not (self.is_old and kind == "INT64"))
            ),
            "TensorIOMode": enum("TensorIOMode", "NONE", "INPUT", "OUTPUT"),
            "TensorLocation": enum("TensorLocation", "DEVICE", "HOST"),
            "MemoryPoolType": enum("MemoryPoolType", "WORKSPACE"),
            "LayerType": enum("LayerType", "ELEMENTWISE", "QUANTIZE", "DEQUANTIZE"),
            "OnnxParserFlag": enum("OnnxParserFlag", "NATIVE_INSTANCENORM"),
            "BuilderFlag": enum(
                "BuilderFlag",
                "TF32",
                *(["FP16", "INT8", "OBEY_PRECISION_CONSTRAINTS"] if self.has_precision_flags else []),
            ),
            "NetworkDefinitionCreationFlag": enum("NetworkDefinitionCreationFlag", *flags),
        }
        if self.is_rtx:
            found["ComputeCapability"] = enum(
                "ComputeCapability", "NONE", "CURRENT", "SM80", "SM86", "SM89", "SM120"
            )
            found["EngineValidity"] = enum("EngineValidity", "VALID", "SUBOPTIMAL", "INVALID")
            known = {"VERSION_MISMATCH": 1, "UNSUPPORTED_CC": 2, "MALFORMED_ENGINE": 32}
            found["EngineInvalidityDiagnostics"] = IntEnum("EngineInvalidityDiagnostics", known)
        return found

    def enter(self, call: str) -> None:
        """Crash or raise, where this call is to."""
        kind, _, rest = self.behaviour.partition(":")
        where, _, error = rest.partition(":")
        if where == call and kind == "die":
            os.kill(os.getpid(), signal.SIGSEGV)
        if where == call and kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if where == call and kind == "end":
            os.kill(os.getpid(), signal.SIGTERM)
        if where == call and kind == "raise":
            raise_as_cpp(error)

    def misbehave(self) -> None:
        """Do what a builder is to do, where that is to end, or not to end."""
        self.enter("build_serialized_network")
        if self.behaviour == "hang":
            while True:
                time.sleep(60)
        kind, _, file = self.behaviour.partition(":")
        while kind == "wait" and not Path(file).exists():
            time.sleep(0.02)

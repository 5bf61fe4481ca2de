"""The runtime of a fake TensorRT: an engine runs its ONNX, by ONNX Runtime, on the addresses it was given."""

from __future__ import annotations

import base64
import json
import math
import os
import signal
from typing import Any

import numpy as np
import onnxruntime
from fake_trt_builder import PLAN
from fake_trt_network import FakeNetwork, FakeTensor
from fake_trt_release import NUMPY_TYPES, Release, complain

__all__ = ["OPEN_ROOM", "FakeContext", "FakeRuntime", "read_plan"]

OPEN_ROOM = 100
"""What an axis may come to, at most, that only running tells."""


def read_plan(content: Any) -> dict[str, Any] | None:
    """What is in a plan; None where it is none."""
    whole = bytes(content)
    if not whole.startswith(PLAN):
        return None
    try:
        plan: dict[str, Any] = json.loads(whole[len(PLAN) :])
    except ValueError:
        return None
    return plan


class FakeContext:
    """``IExecutionContext``."""

    def __init__(self, release: Release, engine: FakeEngine) -> None:
        self._release = release
        self._engine = engine
        self._shapes = {tensor.name: tensor.shape for tensor in engine.inputs}
        self._addresses: dict[str, int] = {}
        self._rooms: dict[str, Any] = {}
        self._ran = False
        if release.behaviour == "no_capture":
            self.is_stream_capturable = lambda stream: False

    def set_input_shape(self, name: str, shape: Any) -> bool:
        self._shapes[name] = tuple(shape)
        return True

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        if name in self._shapes:
            return self._shapes[name]
        shape = self._engine.tensor(name).shape
        return (1, *shape[1:]) if self._engine.plan["shapes"] else shape

    def get_max_output_size(self, name: str) -> int:
        shape = [OPEN_ROOM if extent == -1 else extent for extent in self.get_tensor_shape(name)]
        return math.prod(shape) * self._dtype(name).itemsize

    def set_tensor_address(self, name: str, address: int) -> bool:
        self._addresses[name] = address
        return True

    def set_output_allocator(self, name: str, room: Any) -> bool:
        self._rooms[name] = room
        return True

    def execute_async_v3(self, stream: int) -> bool:
        self._release.enter("execute_async_v3")
        reason = self._refusal(capturing=stream in self._release.gpu.captured)
        if reason:
            complain(self._engine.log, reason)
            return False
        self._ran = True
        for name, room in self._rooms.items():
            asked = (name, 0, self.get_max_output_size(name), 256)
            old = self._release.is_old
            given = room.reallocate_output(*asked) if old else room.reallocate_output_async(*asked, stream)
            self._addresses[name] = given
        self._release.gpu.put(stream, self._run)
        return True

    def _refusal(self, *, capturing: bool) -> str:
        missing = {tensor.name for tensor in self._engine.tensors} - set(self._addresses) - set(self._rooms)
        if missing:
            return f"no address for {missing}"
        if self._release.behaviour == "no_run":
            return "Cuda Runtime (unspecified launch failure)"
        first_compiles = self._release.is_rtx and not self._ran
        if capturing and (first_compiles or self._release.behaviour == "breaks_capture"):
            return "operation not permitted when stream is capturing"
        return ""

    def _run(self) -> None:
        engine = self._engine
        given = {tensor.name: self._at(tensor.name, self._shapes[tensor.name]) for tensor in engine.inputs}
        answers = engine.session.run([tensor.name for tensor in engine.outputs], given)
        for tensor, answer in zip(engine.outputs, answers, strict=True):
            if tensor.name in self._rooms:
                self._rooms[tensor.name].notify_shape(tensor.name, answer.shape)
            self._at(tensor.name, answer.shape)[...] = answer

    def _at(self, name: str, shape: Any) -> Any:
        size = math.prod(shape) * self._dtype(name).itemsize
        return (
            self._release.gpu.seen_by_gpu(self._addresses[name], size).view(self._dtype(name)).reshape(shape)
        )

    def _dtype(self, name: str) -> np.dtype[Any]:
        return np.dtype(NUMPY_TYPES[self._engine.tensor(name).dtype.name])


class FakeEngine:
    """``ICudaEngine``."""

    def __init__(self, release: Release, plan: dict[str, Any], log: Any) -> None:
        self._release = release
        self.log = log
        self.plan = plan
        network = FakeNetwork(release, 0)
        network.read(base64.b64decode(plan["onnx"]))
        self.inputs, self.outputs = network.inputs, network.outputs
        self.tensors = [*self.inputs, *self.outputs]
        self.session = onnxruntime.InferenceSession(network.model, providers=["CPUExecutionProvider"])

    def tensor(self, name: str) -> FakeTensor:
        return next(tensor for tensor in self.tensors if tensor.name == name)

    @property
    def num_io_tensors(self) -> int:
        return len(self.tensors)

    def get_tensor_name(self, index: int) -> str:
        return self.tensors[index].name

    def get_tensor_mode(self, name: str) -> Any:
        taken = name in {tensor.name for tensor in self.inputs}
        return self._release.enums()["TensorIOMode"]["INPUT" if taken else "OUTPUT"]

    def get_tensor_dtype(self, name: str) -> Any:
        return self.tensor(name).dtype

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return self.tensor(name).shape

    def get_tensor_location(self, name: str) -> Any:
        return self._release.enums()["TensorLocation"]["DEVICE"]

    def get_tensor_profile_shape(self, name: str, index: int) -> list[tuple[int, ...]]:
        assert index == 0
        return [tuple(self.plan["shapes"][name])] * 3

    def create_execution_context(self) -> FakeContext | None:
        self._release.enter("create_execution_context")
        if self._release.behaviour == "no_context":
            complain(self.log, "IExecutionContext::IExecutionContext: Error Code 2: OutOfMemory")
            return None
        return FakeContext(self._release, self)


class FakeRuntime:
    """``Runtime``; that of TensorRT-RTX tells whether an engine is valid before it loads it."""

    def __init__(self, release: Release, log: Any) -> None:
        if release.gpu.driver == 0 or release.gpu.count == 0:
            raise SystemExit("a runtime without a GPU ends the process")
        release.enter("Runtime")
        self._release = release
        self._log = log
        if release.is_rtx:
            self.get_engine_validity = self._validity

    def _validity(self, content: Any) -> tuple[Any, int]:
        plan, found = read_plan(content), 0
        if plan is None:
            found = 32
        elif plan["version"] != self._release.version:
            found = 1
        elif plan["capability"] != list(self._release.gpu.capability):
            found = 2
        elif self._release.behaviour == "invalid":
            return self._release.enums()["EngineValidity"]["INVALID"], 0
        return self._release.enums()["EngineValidity"]["INVALID" if found else "VALID"], found

    def deserialize_cuda_engine(self, content: Any) -> FakeEngine | None:
        self._release.enter("deserialize_cuda_engine")
        plan, here = read_plan(content), self._release
        if plan is not None and "deadly" in plan:
            os.kill(os.getpid(), signal.SIGSEGV)
        if here.behaviour == "no_memory":
            complain(self._log, "[defaultAllocator.cpp::allocate::31] Cuda Runtime (out of memory)")
        elif plan is None:
            complain(self._log, "Serialization assertion magicTagRead == kMAGIC_TAG failed.")
        elif plan["version"] != here.version:
            complain(self._log, f"Version tag does not match: current {here.version}, read {plan['version']}")
        elif plan["capability"] != list(here.gpu.capability):
            complain(self._log, "The engine plan file is generated on an incompatible device")
        else:
            return FakeEngine(here, plan, self._log)
        return None

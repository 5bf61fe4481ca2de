"""The parser and the builder of a fake TensorRT. The parser reads real ONNX."""

from __future__ import annotations

import base64
import json
import os
from typing import Any

import onnx
from fake_trt_network import FakeNetwork
from fake_trt_release import Release, complain, enum

__all__ = ["PLAN", "FakeBuilder", "FakeOnnxParser"]

PLAN = b"ptrt"
_UNKNOWN = {"MelWeightMatrix"}


class FakeParserError:
    """``ParserError``; that of 8.6 tells neither node nor operator by name."""

    def __init__(self, release: Release, place: int, node: Any) -> None:
        self._place = place
        if not release.is_old:
            self.node_name = lambda: node.name
            self.node_operator = lambda: node.op_type

    def code(self) -> Any:
        return enum("ErrorCode", "SUCCESS", "UNSUPPORTED_NODE")["UNSUPPORTED_NODE"]

    def desc(self) -> str:
        return "false"

    def node(self) -> int:
        return self._place


class FakeOnnxParser:
    """``OnnxParser``."""

    def __init__(self, release: Release, network: FakeNetwork, log: Any) -> None:
        self._release = release
        self._network = network
        self._log = log
        self._errors: list[FakeParserError] = []

    def set_flag(self, flag: Any) -> None:
        assert flag.name == "NATIVE_INSTANCENORM"

    def parse(self, model: bytes) -> bool:
        if self._release.is_old and not self._network.has("EXPLICIT_BATCH"):
            complain(self._log, "the network was not created with the explicit batch flag")
            return False
        try:
            graph = onnx.load_from_string(model).graph
        except Exception:  # noqa: BLE001  (protobuf's own, which differ by release)
            complain(self._log, "could not parse the model as protobuf")
            return False
        for place, node in enumerate(graph.node):
            if node.op_type in _UNKNOWN:
                complain(
                    self._log, f'While parsing node number {place} [{node.op_type} -> "{node.output[0]}"]:'
                )
                self._errors.append(FakeParserError(self._release, place, node))
        if not self._errors:
            self._network.read(model)
        return not self._errors

    @property
    def num_errors(self) -> int:
        return len(self._errors)

    def get_error(self, index: int) -> FakeParserError:
        return self._errors[index]


class FakeTimingCache:
    """``ITimingCache``: begins with the version, and grows by a byte with each build."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def serialize(self) -> bytes:
        return self.content


class FakeProfile:
    """``IOptimizationProfile``."""

    def __init__(self) -> None:
        self.shapes: dict[str, tuple[int, ...]] = {}

    def set_shape(self, name: str, least: Any, best: Any, most: Any) -> None:
        assert least == best == most
        self.shapes[name] = tuple(best)


class FakeBuilderConfig:
    """``IBuilderConfig``."""

    def __init__(self, release: Release) -> None:
        self._version = release.version.encode()
        self.flags = {"TF32"}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.workspace: int | None = None
        self.progress_monitor: Any = None
        self.timings: FakeTimingCache | None = None
        self.num_compute_capabilities = 0
        self.target = ""

    def set_flag(self, flag: Any) -> None:
        self.flags.add(flag.name)

    def clear_flag(self, flag: Any) -> None:
        self.flags.discard(flag.name)

    def set_memory_pool_limit(self, pool: Any, size: int) -> None:
        assert pool.name == "WORKSPACE"
        self.workspace = size

    def add_optimization_profile(self, profile: FakeProfile) -> int:
        self.shapes.update(profile.shapes)
        return 0

    def create_timing_cache(self, content: bytes) -> FakeTimingCache:
        return FakeTimingCache(content)

    def set_timing_cache(self, cache: FakeTimingCache, ignore_mismatch: bool) -> bool:  # noqa: FBT001
        assert not ignore_mismatch
        if cache.content and not cache.content.startswith(self._version):
            return False
        self.timings = cache
        return True

    def set_compute_capability(self, capability: Any, index: int) -> bool:
        assert index < self.num_compute_capabilities
        self.target = capability.name
        return True


class FakeBuilder:
    """``Builder``. Refuses what the release refuses, and says so in its log alone."""

    def __init__(self, release: Release, log: Any) -> None:
        if not release.is_rtx and (release.gpu.driver == 0 or release.gpu.count == 0):
            raise TypeError("pybind11::init(): factory function returned nullptr")
        self._release = release
        self._log = log

    def create_network(self, flags: int) -> FakeNetwork:
        return FakeNetwork(self._release, flags)

    def create_builder_config(self) -> FakeBuilderConfig:
        return FakeBuilderConfig(self._release)

    def create_optimization_profile(self) -> FakeProfile:
        return FakeProfile()

    def build_serialized_network(self, network: FakeNetwork, config: FakeBuilderConfig) -> bytes | None:
        self._release.misbehave()
        if self._release.behaviour == "silent":
            return None
        reason = self._refusal(network, config)
        if reason:
            complain(self._log, reason)
            return None
        _report_progress(config.progress_monitor)
        if self._release.behaviour == "prints":
            os.write(1, b"[TRT] Engine generation completed")
        if config.timings is not None:
            config.timings.content = (config.timings.content or self._release.version.encode()) + b"+"
        plan = {
            "version": self._release.version,
            "capability": self._capability(config),
            "onnx": base64.b64encode(network.model).decode(),
            "shapes": config.shapes,
            "flags": sorted(config.flags),
            "typed": network.has("STRONGLY_TYPED"),
            "workspace": config.workspace,
            "held": [layer.name for layer in network.layers if layer.is_held],
        }
        return PLAN + json.dumps(plan).encode()

    def _capability(self, config: FakeBuilderConfig) -> list[int]:
        if config.target.startswith("SM"):
            return [int(config.target[2:-1]), int(config.target[-1])]
        return list(self._release.gpu.capability)

    def _refusal(self, network: FakeNetwork, config: FakeBuilderConfig) -> str:
        if any(-1 in tensor.shape and tensor.name not in config.shapes for tensor in network.inputs):
            return "network has dynamic inputs, but no optimization profile has been defined"
        for kind, flag in (("HALF", "FP16"), ("INT8", "INT8")):
            if network.has("STRONGLY_TYPED") and flag in config.flags:
                return f"{flag} cannot be set for strongly typed networks"
            if self._release.is_old and kind in network.types() and flag not in config.flags:
                return f"the network has {kind} tensors but {flag} is not set"
        if self._release.is_old and "FP16" in config.flags:
            return _rounded(network, config)
        return ""


def _rounded(network: FakeNetwork, config: FakeBuilderConfig) -> str:
    """What a real one does not refuse, but does: run in float16 what the ONNX has in float32."""
    if "OBEY_PRECISION_CONSTRAINTS" not in config.flags:
        return "FP16 without OBEY_PRECISION_CONSTRAINTS: precisions of layers are wishes"
    after_dq = {layer.get_output(0).name for layer in network.layers if layer.type.name == "DEQUANTIZE"}
    for layer in network.layers:
        inputs = [layer.get_input(index) for index in range(layer.num_inputs)]
        is_int8 = layer.type.name != "ELEMENTWISE" or any(one and one.name in after_dq for one in inputs)
        if layer.gives_float32 and is_int8 == layer.is_held:
            return (
                f"'{layer.name}' runs in {'float32, not in int8' if is_int8 else 'float16, not in float32'}"
            )
    return ""


def _report_progress(monitor: Any) -> None:
    if monitor is not None:
        monitor.phase_start("Building engine", None, 2)
        for step in range(2):
            monitor.step_complete("Building engine", step)
        monitor.phase_finish("Building engine")

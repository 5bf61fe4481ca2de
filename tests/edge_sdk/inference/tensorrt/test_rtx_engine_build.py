"""TensorRT-RTX's own parser and builder, where they are installed: they run without a GPU."""

from __future__ import annotations

import sys

import pytest
from fake_cuda_bindings import fake_cuda_bindings
from fake_gpu import FakeGpu
from gpu_onnx import boxes_onnx, deep_onnx, int8_onnx, mixed_onnx, scaled_onnx, unknown_onnx
from tiny_engines import MODELS, refusals

from edge_sdk.errors import BackendError
from edge_sdk.inference.tensorrt.build import build_engine, known_families
from edge_sdk.inference.tensorrt.cuda import open_cuda
from edge_sdk.inference.tensorrt.engine import TensorRtEngine
from edge_sdk.inference.tensorrt.library import Library
from edge_sdk.inference.tensorrt.parse import parse_onnx
from edge_sdk.inference.tensorrt.weak_typing import element_types, float32_layers


@pytest.mark.parametrize("precision", MODELS)
def test_tensorrt_rtx_builds_every_precision(rtx: Library, precision: str) -> None:
    plan = build_engine(rtx, MODELS[precision](), compute_capability="8.6").plan
    assert plan is not None
    assert len(plan) > 1000


@pytest.mark.parametrize(("precision", "kind"), [("float32", None), ("float16", "HALF"), ("int8", "INT8")])
def test_the_precisions_of_a_network_are_read_from_its_tensors(
    rtx: Library, precision: str, kind: str | None
) -> None:
    """What 8.6 is told by flags, shown on NVIDIA's own network."""
    parsed = parse_onnx(rtx, MODELS[precision]())
    assert element_types(parsed.network) & {"HALF", "INT8"} == ({kind} if kind else set())


def test_what_8_6_holds_to_float32_is_what_nvidias_own_network_has_in_it(rtx: Library) -> None:
    """But for what stands after DQ, which is int8 in truth; constants of it are held as well."""
    parsed = parse_onnx(rtx, mixed_onnx())
    held = [(layer.type.name, layer.name) for layer, _ in float32_layers(rtx.trt, parsed.network)]
    assert [name for kind, name in held if kind != "CONSTANT"] == ["from_half", "add_float32"]


def test_tensorrt_rtx_builds_the_same_engine_each_time(rtx: Library) -> None:
    assert build_engine(rtx, int8_onnx()).plan == build_engine(rtx, int8_onnx()).plan


def test_tensorrt_rtx_builds_for_families_of_cards(rtx: Library) -> None:
    assert "8.6" in known_families(rtx)
    plans = [build_engine(rtx, scaled_onnx(), compute_capability=one).plan for one in ("8.6", "8.9")]
    assert None not in plans
    assert plans[0] != plans[1]


def test_tensorrt_rtx_takes_an_open_batch(rtx: Library) -> None:
    assert build_engine(rtx, scaled_onnx(shape=("batch", 4)), compute_capability="8.6").plan is not None


def test_tensorrt_rtx_parses_suppression_of_boxes_and_cannot_build_it(rtx: Library) -> None:
    """That a model parses proves little; the builder names its layer after the node."""
    assert parse_onnx(rtx, boxes_onnx()).refusals == ()
    (refusal, *_) = refusals(rtx, boxes_onnx())
    assert "nms_0 has no runners that implement it" in refusal.reason


def test_tensorrt_rtx_names_the_node_of_a_zero_point_other_than_0(rtx: Library) -> None:
    (refusal, *_) = refusals(rtx, int8_onnx(zero_point=3))
    assert (refusal.operator, refusal.node) == ("QuantizeLinear", "to_int8")
    assert "zero point" in refusal.reason.lower()


def test_tensorrt_rtx_names_an_operator_that_it_does_not_know(rtx: Library) -> None:
    (refusal, *_) = refusals(rtx, unknown_onnx())
    assert str(refusal) == "MelWeightMatrix 'mel': unsupported node"


@pytest.mark.parametrize("content", [b"no onnx", scaled_onnx()[:40]], ids=["foreign", "truncated"])
def test_tensorrt_rtx_refuses_what_is_no_onnx(rtx: Library, content: bytes) -> None:
    assert all(refusal.reason for refusal in refusals(rtx, content))


def test_tensorrt_rtx_tells_how_far_it_is(rtx: Library) -> None:
    told: list[float] = []
    build_engine(rtx, deep_onnx(5), on_progress=lambda _, share: told.append(share))
    assert len(told) > 20
    assert told[-1] == 1.0


def test_tensorrt_rtx_has_no_timing_cache_that_it_would_warn_of(rtx: Library) -> None:
    """Its release notes call the calls no-ops, and they warn: here, a warning is an error."""
    assert build_engine(rtx, scaled_onnx()).timings == b""


def test_tensorrt_rtxs_runtime_refuses_in_words_where_there_is_no_gpu(
    rtx: Library, gpu: FakeGpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It outlives that; nobody gets this far, as the GPU is asked for before."""
    monkeypatch.setitem(sys.modules, "cuda.bindings.runtime", fake_cuda_bindings(gpu))
    plan = build_engine(rtx, scaled_onnx(), compute_capability="8.6").plan
    assert plan is not None
    with pytest.raises(BackendError, match=r"TensorRT-RTX .* refuses the engine of m: .*CUDA") as caught:
        TensorRtEngine(plan, library=rtx, cuda=open_cuda(), name="m")
    assert "edge-sdk build" in str(caught.value.hint)

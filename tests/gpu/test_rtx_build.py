"""TensorRT-RTX's parser and builder take every model; they need no GPU."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from gpu_case import GpuCase
from onnx import NodeProto, TensorProto, helper, numpy_helper
from rtx_build import RefusedModelError, build_plan, tensorrt_rtx


@pytest.fixture(autouse=True)
def _builder_is_installed() -> None:
    tensorrt_rtx()


def model_of(nodes: list[NodeProto], constants: list[TensorProto]) -> bytes:
    taken = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])
    given = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4])
    graph = helper.make_graph(nodes, "model", [taken], [given], constants)
    opset = helper.make_opsetid("", 18)
    return bytes(helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString())


def through_int8(zero_point: int) -> bytes:
    constants = [
        numpy_helper.from_array(np.array(0.1, np.float32), "scale"),
        numpy_helper.from_array(np.array(zero_point, np.int8), "zero_point"),
    ]
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero_point"], ["q"], name="to_int8"),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero_point"], ["y"], name="from_int8"),
    ]
    return model_of(nodes, constants)


def test_every_model_in_every_precision_builds(case: GpuCase, plan_of: Callable[[bytes], bytes]) -> None:
    assert len(plan_of(case.onnx)) > 1000


def test_a_model_gives_the_same_plan_each_time() -> None:
    assert build_plan(through_int8(0)) == build_plan(through_int8(0))


def test_a_zero_point_other_than_0_is_refused_by_node() -> None:
    with pytest.raises(RefusedModelError, match=r"to_int8.*[Zz]ero point"):
        build_plan(through_int8(3))


def test_an_unknown_operator_is_refused_by_name_and_node() -> None:
    nodes = [helper.make_node("MelWeightMatrix", ["x"] * 5, ["y"], name="mel")]
    with pytest.raises(RefusedModelError, match="MelWeightMatrix 'mel'"):
        build_plan(model_of(nodes, []))

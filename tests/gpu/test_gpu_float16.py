"""Why sums stay in float32 when a model is converted to float16."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from gpu_engine import GpuEngine
from gpu_results import GpuResults
from onnx import TensorProto, helper, numpy_helper

pytestmark = pytest.mark.usefixtures("cuda")  # first: no model is made in vain

SHAPE = (1, 128, 194)
LEVEL_DB = -40.0


def mean_model(arithmetic: int) -> bytes:
    """The mean of a spectrogram, computed in an element type, between float32 and float32."""
    nodes = [
        helper.make_node("Cast", ["x"], ["inner"], to=arithmetic),
        helper.make_node("ReduceMean", ["inner", "axes"], ["mean"], keepdims=0),
        helper.make_node("Cast", ["mean"], ["y"], to=TensorProto.FLOAT),
    ]
    graph = helper.make_graph(
        nodes,
        "mean",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, SHAPE)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])],
        [numpy_helper.from_array(np.array([1, 2], dtype=np.int64), "axes")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    return bytes(model.SerializeToString())


def test_the_mean_of_a_spectrogram_is_right_in_float32(
    runner: str, results: GpuResults, open_engine: Callable[..., GpuEngine]
) -> None:
    spectrogram = np.full(SHAPE, LEVEL_DB, np.float32)
    kinds = (("float32", TensorProto.FLOAT), ("float16", TensorProto.FLOAT16))
    means = {}
    for precision, arithmetic in kinds:
        (mean,) = open_engine(mean_model(arithmetic)).run({"x": spectrogram}).values()
        means[precision] = float(mean[0])
        results.note(runner, "mean-of-spectrogram", precision, expected=LEVEL_DB, mean=str(means[precision]))
    assert means["float32"] == pytest.approx(LEVEL_DB, rel=1e-5)

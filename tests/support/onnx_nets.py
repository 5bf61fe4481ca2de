"""Small real ONNX networks, made without a training library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edge_sdk.contract.values import Float32Array
from edge_sdk.inference.open import open_backend

__all__ = ["INPUT", "SHAPE", "answers", "onnx_model", "pictures", "relative_error", "residual_net"]

INPUT = "picture"
SHAPE = (1, 3, 16, 16)


def residual_net(*, opset: int = 17, loud: float = 1.0, batch: int | str = 1, n_outputs: int = 2) -> bytes:
    """Convolutions, a depthwise one, a residual sum, a mean, a heavy layer and a last one.

    Args:
        opset: Operator set.
        loud: One channel after the first layer is that much larger, and the second takes it back.
        batch: The input's first axis; a string leaves it open.
        n_outputs: Scores; with 2 the last layer is light.
    """
    random = np.random.default_rng(11)
    constants: list[TensorProto] = []

    def constant(name: str, values: Float32Array) -> str:
        constants.append(numpy_helper.from_array(values, name))
        return name

    def normal(*shape: int) -> Float32Array:
        scale = np.sqrt(2 / np.prod(shape[1:]))
        return random.normal(scale=scale, size=shape).astype(np.float32)

    first, second = normal(8, 3, 3, 3), normal(8, 8, 3, 3)
    first[0] *= loud
    second[:, 0] /= loud
    same: dict[str, Any] = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    nodes = [
        helper.make_node(
            "Conv",
            [INPUT, constant("w0", first), constant("b0", np.full(8, 0.1, np.float32))],
            ["c0"],
            name="stem",
            **same,
        ),
        helper.make_node("Relu", ["c0"], ["r0"], name="stem_relu"),
        helper.make_node("Conv", ["r0", constant("w1", second)], ["c1"], name="second", **same),
        helper.make_node("Relu", ["c1"], ["r1"], name="second_relu"),
        helper.make_node("Conv", ["r1", constant("w2", normal(8, 8, 3, 3))], ["c2"], name="branch", **same),
        helper.make_node("Add", ["r1", "c2"], ["s2"], name="sum"),
        helper.make_node("Relu", ["s2"], ["r2"], name="sum_relu"),
        helper.make_node(
            "Conv", ["r2", constant("w3", normal(8, 1, 3, 3))], ["c3"], name="depthwise", group=8, **same
        ),
        helper.make_node("GlobalAveragePool", ["c3"], ["pooled"], name="mean"),
        helper.make_node("Flatten", ["pooled"], ["flat"], name="flatten"),
        helper.make_node("Gemm", ["flat", constant("w4", normal(64, 8))], ["g4"], name="wide", transB=1),
        helper.make_node("Relu", ["g4"], ["r4"], name="wide_relu"),
        helper.make_node(
            "Gemm", ["r4", constant("w5", normal(n_outputs, 64))], ["logits"], name="head", transB=1
        ),
        helper.make_node("Sigmoid", ["logits"], ["scores"], name="scores"),
    ]
    return onnx_model(
        nodes, constants, shape=(batch, *SHAPE[1:]), gives={"scores": (batch, n_outputs)}, opset=opset
    )


def onnx_model(
    nodes: Sequence[Any],
    constants: Sequence[TensorProto],
    *,
    shape: Sequence[int | str] = SHAPE,
    gives: dict[str, Sequence[int | str] | None] | None = None,
    opset: int = 17,
) -> bytes:
    """A model of float32 tensors that was checked."""
    outputs = gives or {nodes[-1].output[0]: None}
    graph = helper.make_graph(
        list(nodes),
        "net",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, list(shape))],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, extents)
            for name, extents in outputs.items()
        ],
        list(constants),
    )
    imports = [helper.make_opsetid("", opset)]
    model = onnx.shape_inference.infer_shapes(helper.make_model(graph, opset_imports=imports, ir_version=8))
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def pictures(n: int, seed: int = 1) -> list[Float32Array]:
    """What such networks are fed."""
    random = np.random.default_rng(seed)
    return [random.normal(size=SHAPE).astype(np.float32) for _ in range(n)]


def answers(content: bytes, samples: Sequence[Float32Array], *, reference: bool = True) -> Float32Array:
    """The first output for each sample, ``[samples, ...]``."""
    with open_backend(content, "onnx", reference_kernels=reference) as backend:
        taken, given = backend.inputs[0].name, backend.outputs[0].name
        return np.stack([backend.infer({taken: sample})[given].copy() for sample in samples])


def relative_error(wanted: Float32Array, given: Float32Array) -> float:
    """Root of the squared differences, relative to what was wanted."""
    difference = np.square(given.astype(np.float64) - wanted).sum()
    return float(np.sqrt(difference / np.square(wanted.astype(np.float64)).sum()))

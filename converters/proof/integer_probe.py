"""Whether ONNX Runtime's int8 kernels saturate on this processor: they are asked to add what they cannot.

x86 processors without VNNI multiply pairs of bytes into 16 bits, and cut their sum off at 32,767.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edge_sdk.inference.open import open_backend

__all__ = ["integer_kernels_saturate"]

_CHANNELS = 64
_LARGEST = 127.0


def integer_kernels_saturate() -> bool:
    """Run one layer whose every product is the largest there is, by fast kernels and by exact ones."""
    model = _layer()
    sample = np.full((1, _CHANNELS, 4, 4), _LARGEST, dtype=np.float32)
    sums = []
    for reference in (True, False):
        with open_backend(model, "onnx", reference_kernels=reference, name="probe") as backend:
            sums.append(float(backend.infer({"x": sample})["y"].min()))
    exact, fast = sums
    return abs(fast - exact) > 0.02 * abs(exact)


def _layer() -> bytes:
    """A convolution over one pixel between Q/DQ pairs, in the form that becomes one integer kernel."""
    from onnx import TensorProto, helper, numpy_helper

    weights = np.full((_CHANNELS, _CHANNELS, 1, 1), _LARGEST, dtype=np.float32)
    values: dict[str, Any] = {
        "one": np.array(1.0, dtype=np.float32),
        "ones": np.ones(_CHANNELS, dtype=np.float32),
        "zero": np.array(0, dtype=np.int8),
        "zeros": np.zeros(_CHANNELS, dtype=np.int8),
        "sums": np.array(_CHANNELS * _LARGEST, dtype=np.float32),
        "w": weights,
    }
    nodes = [
        *_pair("x", "one", "zero"),
        *_pair("w", "ones", "zeros", axis=0),
        helper.make_node("Conv", ["x/float", "w/float"], ["c"]),
        *_pair("c", "sums", "zero"),
        helper.make_node("Identity", ["c/float"], ["y"]),
    ]
    shape = [1, _CHANNELS, 4, 4]
    graph = helper.make_graph(
        nodes,
        "probe",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


def _pair(name: str, scale: str, zero: str, **attributes: Any) -> list[Any]:
    from onnx import helper

    return [
        helper.make_node("QuantizeLinear", [name, scale, zero], [f"{name}/int8"], **attributes),
        helper.make_node("DequantizeLinear", [f"{name}/int8", scale, zero], [f"{name}/float"], **attributes),
    ]

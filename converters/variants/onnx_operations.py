"""The operations of an ``.onnx`` in the order in which they run, as far as a search for layers needs them."""

from __future__ import annotations

from .onnx_graph import DEQUANTIZE, QUANTIZE, OnnxGraph
from .tflite_operations import Operation

__all__ = ["read_onnx_operations"]


def read_onnx_operations(content: bytes) -> list[Operation]:
    """The operations of a model's main graph; a Q/DQ pair is part of what reads it."""
    import numpy as np
    import onnx

    graph = OnnxGraph(onnx.load_from_string(content))
    operations = []
    for node in graph.nodes:
        if node.op_type in (QUANTIZE, DEQUANTIZE):
            continue
        origins = [graph.origin(name) for name in node.input]
        weights = [graph.constants[name] for name in origins if name in graph.constants]
        is_layer = graph.is_layer(node)
        operations.append(
            Operation(
                name=node.name,
                is_layer=is_layer,
                is_float=not (is_layer and origins[0] != node.input[0] and origins[1] != node.input[1]),
                weight_bytes=4 * sum(int(np.prod(weight.dims, dtype=np.int64)) for weight in weights),
                reads=tuple(origins),
            )
        )
    return operations

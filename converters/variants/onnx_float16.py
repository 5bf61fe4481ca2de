"""An ONNX model in float16, and what it gives where float16 is really computed.

What lies between the first layer and the last becomes float16. In float32 stay input and outputs, the
preparation of the one and the decoding of the others (a float16 tells no two pixels beyond 2,048 apart), the
boxes of a detector's first stage, sums, means and normalisations (a sum beyond 65,504 is infinite), what
ONNX defines in float32 alone, and what is too large or too small for float16 on real samples.

ONNX Runtime computes float16 in float32 on a CPU, and rounds nothing on the way. So the model is made a
second time, in float32 with each value rounded where a GPU would hold it in float16: that one is judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge_sdk.contract.values import Array
from edge_sdk.errors import ConversionError

from .onnx_graph import OnnxGraph
from .onnx_opset import opset_of
from .onnx_prepared import PreparedOnnx
from .onnx_ranges import measure_peaks

__all__ = ["Float16Model", "convert_float16"]

_HALF = "tensor(float16)"

_KEPT = frozenset(
    (
        *("ReduceMean", "ReduceSum", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare"),
        *("ReduceLogSum", "ReduceLogSumExp", "CumSum", "Mean", "Sum"),
        *("GlobalAveragePool", "AveragePool", "GlobalLpPool", "LpPool"),
        *("Softmax", "LogSoftmax", "LayerNormalization", "BatchNormalization", "InstanceNormalization"),
        *("GroupNormalization", "RMSNormalization", "LpNormalization", "MeanVarianceNormalization", "LRN"),
        *("Exp", "Log", "Pow", "Sqrt", "Reciprocal", "Softplus"),
        *("Cast", "CastLike"),
        *("RoiAlign", "MaxRoiPool"),  # their boxes have the type of the features
    )
)
"""Operations that stay in float32, wherever they are."""

_LARGEST = 65504.0 / 8
"""Activations beyond this stay in float32: other recordings and pictures may have larger ones."""

_SMALLEST = 1e-3
"""So do tensors whose largest value is below this: their small ones would lose all digits."""


@dataclass(frozen=True)
class Float16Model:
    """What came out.

    Attributes:
        content: The file.
        rounded: The same in float32, with each value rounded as float16 would.
        outliers: Operations that stay in float32 for the values that they meet.
    """

    content: bytes
    rounded: bytes
    outliers: tuple[str, ...]


def convert_float16(prepared: PreparedOnnx, samples: Sequence[Array]) -> Float16Model:
    """Convert.

    Args:
        prepared: The model in float32.
        samples: What it is fed for a few samples.

    Raises:
        ConversionError: No operation of it can be float16.
        BackendError: The model does not run.
    """
    model = prepared.load()
    graph, floats = OnnxGraph(model), _float_tensors(model)
    within = graph.between_layers - {id(node) for node in graph.nodes if _makes_boxes(node, graph)}
    able = [node for node in graph.nodes if id(node) in within and _can_be_half(node, model, floats)]
    peaks = measure_peaks(model, prepared.input_name, _read_and_made(able, graph, floats), samples)
    chosen = {node.name for node in able if _fits(node, peaks)}
    if not chosen:
        raise ConversionError("no operation of the model can be float16")
    return Float16Model(
        content=prepared.finish(_Rewriter(model, floats, chosen).rewritten()),
        rounded=prepared.finish(_Rewriter(prepared.load(), floats, chosen, rounding=True).rewritten()),
        outliers=tuple(node.name for node in able if node.name not in chosen),
    )


def _makes_boxes(node: Any, graph: OnnxGraph) -> bool:
    """Whether it computes the boxes of a first stage, rather than being the layer that gives them."""
    return id(node) in graph.box_decoding and not graph.is_layer(node)


def _float_tensors(model: Any) -> set[str]:
    from onnx import TensorProto

    graph = model.graph
    typed = {
        value.name
        for value in (*graph.input, *graph.value_info, *graph.output)
        if value.type.tensor_type.elem_type == TensorProto.FLOAT
    }
    return typed | {tensor.name for tensor in graph.initializer if tensor.data_type == TensorProto.FLOAT}


def _can_be_half(node: Any, model: Any, floats: set[str]) -> bool:
    """Whether ONNX defines it in float16, and it gives float32 now."""
    if node.op_type in _KEPT or any(attribute.HasField("g") for attribute in node.attribute):
        return False
    if not all(name in floats for name in node.output if name):
        return False
    return all(_HALF in _types(node, model, "outputs", index) for index in range(len(node.output)))


def _types(node: Any, model: Any, side: str, index: int) -> Sequence[str]:
    """The element types that ONNX allows for one of the inputs or outputs of a node."""
    from onnx import defs

    if node.domain not in ("", "ai.onnx") or not defs.has(node.op_type, ""):
        return ()
    declared = getattr(defs.get_schema(node.op_type, opset_of(model), ""), side)
    kind = declared[min(index, len(declared) - 1)]  # the last one of some repeats
    return sorted(kind.types)


def _read_and_made(nodes: Sequence[Any], graph: OnnxGraph, floats: set[str]) -> list[str]:
    names = [name for node in nodes for name in (*node.input, *node.output)]
    return [name for name in dict.fromkeys(names) if name in floats and name not in graph.constants]


def _fits(node: Any, peaks: Mapping[str, float]) -> bool:
    met = [peaks[name] for name in (*node.input, *node.output) if name in peaks]
    return all(np.isfinite(peak) and peak <= _LARGEST and not 0 < peak < _SMALLEST for peak in met)


class _Rewriter:
    """Walks a graph in order, and puts conversions where float32 meets float16.

    Args:
        model: Changed by :meth:`rewritten`.
        floats: Its float32 tensors.
        chosen: Nodes to compute in float16, by name.
        rounding: Compute them in float32 all the same, and only round what they read and give.
    """

    def __init__(self, model: Any, floats: set[str], chosen: set[str], *, rounding: bool = False) -> None:
        self._model = model
        self._floats = floats
        self._chosen = chosen
        self._rounding = rounding
        self._graph = OnnxGraph(model)
        self._nodes: list[Any] = []
        self._halves: dict[str, str] = {}

    def rewritten(self) -> Any:
        """The model."""
        for node in self._graph.nodes:
            if node.name in self._chosen:
                self._rewrite(node)
            else:
                self._nodes.append(node)
        copies = [_copy(node) for node in self._nodes]
        del self._model.graph.node[:]
        self._model.graph.node.extend(copies)
        return self._model

    def _rewrite(self, node: Any) -> None:
        for position, name in enumerate(node.input):
            if name in self._floats and _HALF in _types(node, self._model, "inputs", position):
                node.input[position] = self._half(name)
        self._nodes.append(node)
        for position, name in enumerate(node.output):
            if name:
                node.output[position] = self._give(name)

    def _half(self, name: str) -> str:
        """The name of a tensor in float16, or of its rounded values."""
        if name not in self._halves:
            if name in self._graph.constants:
                self._halves[name] = self._rounded_constant(name)
            else:
                self._halves[name] = self._cast(name, f"{name}/to half", to_half=True)
                if self._rounding:
                    self._halves[name] = self._cast(self._halves[name], f"{name}/rounded", to_half=False)
        return self._halves[name]

    def _give(self, name: str) -> str:
        """What a node calls its output now; the tensor of that name stays float32 for who reads it so."""
        if self._rounding:
            self._cast(self._cast(f"{name}/exact", f"{name}/half", to_half=True), name, to_half=False)
            self._halves[name] = name
            return f"{name}/exact"
        self._halves[name] = f"{name}/half"
        readers = self._graph.read_by.get(name, ())
        if name in self._graph.outputs or not all(self._reads_half(*reader) for reader in readers):
            self._cast(f"{name}/half", name, to_half=False)
        return f"{name}/half"

    def _reads_half(self, node: Any, position: int) -> bool:
        return node.name in self._chosen and _HALF in _types(node, self._model, "inputs", position)

    def _cast(self, name: str, made: str, *, to_half: bool) -> str:
        from onnx import TensorProto, helper

        kind = TensorProto.FLOAT16 if to_half else TensorProto.FLOAT
        self._nodes.append(helper.make_node("Cast", [name], [made], to=kind))
        return made

    def _rounded_constant(self, name: str) -> str:
        from onnx import numpy_helper

        value = numpy_helper.to_array(self._graph.constants[name]).astype(np.float16)
        kept = value.astype(np.float32) if self._rounding else value
        self._model.graph.initializer.append(numpy_helper.from_array(kept, f"{name}/half"))
        return f"{name}/half"


def _copy(node: Any) -> Any:
    copied = type(node)()
    copied.CopyFrom(node)
    return copied

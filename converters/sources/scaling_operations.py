"""What a graph does to its input before its first layer, operation by operation, in every format.

Additions and multiplications by constants scale pixels, and an exchange of channels decides which constant
meets which. What moves, cuts, enlarges or clips pixels leaves their scale as it is, and is looked through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, TypeAlias

import numpy as np

from edge_sdk.contract.values import Array
from edge_sdk.errors import MissingExtraError

from .channel_cuts import Cuts, onnx_cuts, remaining_channels, strided_cuts, tensor_cuts
from .flat_graph import FlatGraph

__all__ = ["Step", "onnx_steps", "tensorflow_steps", "tflite_steps"]

Kind: TypeAlias = Literal["add", "subtract", "multiply", "divide", "order"]
Step: TypeAlias = tuple[Kind, Array]
"""What is done, and the constant; of ``order`` the index of the channel that each place is taken from."""

_Constant: TypeAlias = Callable[[str], "Array | None"]
_Shape: TypeAlias = Callable[[str], "Sequence[int | None] | None"]

# Names of the three formats in lower case without underscores: they hardly differ, and do not collide.
_ARITHMETIC: Mapping[str, Kind] = {
    "add": "add",
    "addv2": "add",
    "biasadd": "add",
    "sub": "subtract",
    "mul": "multiply",
    "div": "divide",
    "realdiv": "divide",
}
_PASSED = frozenset(
    (
        *("identity", "cast", "noop", "quantize", "dequantize", "quantizelinear", "dequantizelinear"),
        *("transpose", "reshape", "expanddims", "unsqueeze", "squeeze", "tile"),
        *("pad", "padv2", "mirrorpad", "resize", "scaleandtranslate"),
        *("resizebilinear", "resizebicubic", "resizearea", "resizenearestneighbor"),
        *("minimum", "maximum", "clip", "clipbyvalue"),
    )
)
_SLICES = frozenset(("slice", "stridedslice"))
_SPLITS = frozenset(("split", "splitv"))
_JOINS = frozenset(("pack", "concat", "concatv2", "concatenation"))
_REVERSALS = frozenset(("reversev2", "reversesequence"))
_GATHERS = frozenset(("gather", "gatherv2"))
_TURNS = _SLICES | _REVERSALS | _GATHERS
_MASKS: Mapping[str, str] = {
    "begin": "beginMask",
    "end": "endMask",
    "ellipsis": "ellipsisMask",
    "new_axis": "newAxisMask",
    "shrink_axis": "shrinkAxisMask",
}
"""Of a strided slice, as TensorFlow (with ``_mask``) and TFLite call them."""
_ONNX_CLIPS: Mapping[str, str] = {"Min": "Minimum", "Max": "Maximum"}
"""TensorFlow's ``Min`` and ``Max`` reduce."""
_FOLDED: Mapping[str, Callable[..., Array]] = {
    "Sqrt": np.sqrt,
    "Rsqrt": lambda value: 1 / np.sqrt(value),
    "Maximum": np.maximum,
    "Add": np.add,
    "AddV2": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
}


@dataclass(frozen=True)
class _Operation:
    """One of a graph; tensors by name."""

    kind: str
    taken: Sequence[str]
    given: Sequence[str]
    cuts: Cuts = field(default_factory=dict)


def tensorflow_steps(flat: FlatGraph, channels: int) -> list[Step]:
    """Of a TensorFlow graph. Constants too large to stand in it scale by place, not by channel."""
    graph = flat.load()

    def constant(name: str) -> Array | None:
        return _tensorflow_constant(graph.get_tensor_by_name(name))

    def shape(name: str) -> Sequence[int | None] | None:
        known = graph.get_tensor_by_name(name).shape
        return None if known.rank is None else known.as_list()

    def operation(one: Any) -> _Operation:
        kind, taken = _plain(one.type), [part.name for part in one.inputs]
        return _Operation(kind, taken, [part.name for part in one.outputs], cuts(one, kind, taken))

    def cuts(one: Any, kind: str, taken: Sequence[str]) -> Cuts:
        if kind == "reversesequence":
            return {one.get_attr("seq_dim"): slice(None, None, -1)}
        if kind == "stridedslice":
            return strided_cuts(taken, constant, {name: one.get_attr(f"{name}_mask") for name in _MASKS})
        return tensor_cuts(kind, taken, constant) if kind in _TURNS else {}

    operations = [operation(one) for one in graph.get_operations()]
    return _Walk(operations, constant, shape, channels).begun_at(graph.get_tensor_by_name(flat.input).name)


def onnx_steps(content: bytes, input_name: str, channels: int) -> list[Step]:
    """Of an ONNX model."""
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError as error:
        raise MissingExtraError("onnx", "convert") from error
    model = onnx.load_from_string(content)
    graph: Any = model.graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute and node.attribute[0].HasField("t"):
            constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)

    @cache  # asked for where something is cut, as seldom happens: a large graph takes its time
    def shapes() -> dict[str, list[int]]:
        inferred: Any = onnx.shape_inference.infer_shapes(model).graph
        known = (*inferred.input, *inferred.value_info, *inferred.output)
        return {one.name: [length.dim_value for length in one.type.tensor_type.shape.dim] for one in known}

    operations = [
        _Operation(
            _plain(_ONNX_CLIPS.get(node.op_type, node.op_type)),
            list(node.input),
            list(node.output),
            onnx_cuts(node, constants.get),
        )
        for node in graph.node
    ]
    return _Walk(operations, constants.get, lambda name: shapes().get(name), channels).begun_at(input_name)


def tflite_steps(content: bytes, input_name: str, channels: int) -> list[Step]:
    """Of a TFLite model."""
    try:
        from ai_edge_litert import schema_py_generated as schema
    except ImportError as error:
        raise MissingExtraError("ai_edge_litert", "tflite") from error
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]
    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
    kinds = [names.get(max(code.builtinCode, code.deprecatedBuiltinCode), "") for code in model.operatorCodes]
    inputs = {graph.tensors[index].name.decode(): str(index) for index in graph.inputs}

    def constant(index: str) -> Array | None:
        return _tflite_constant(schema, model, graph.tensors[int(index)])

    def shape(index: str) -> Sequence[int | None] | None:
        known = graph.tensors[int(index)].shape
        return None if known is None else [int(length) for length in known]

    def operation(operator: Any) -> _Operation:
        kind, taken = _plain(kinds[operator.opcodeIndex]), [str(index) for index in operator.inputs]
        given = [str(index) for index in operator.outputs]
        return _Operation(kind, taken, given, cuts(operator.builtinOptions, kind, taken))

    def cuts(options: Any, kind: str, taken: Sequence[str]) -> Cuts:
        if kind == "reversesequence":
            return {options.seqDim: slice(None, None, -1)}
        if kind == "stridedslice":
            return strided_cuts(taken, constant, {name: getattr(options, of) for name, of in _MASKS.items()})
        return tensor_cuts(kind, taken, constant) if kind in _TURNS else {}

    operations = [operation(operator) for operator in graph.operators]
    return _Walk(operations, constant, shape, channels).begun_at(inputs[input_name])


def _plain(kind: str) -> str:
    return kind.replace("_", "").lower()


class _Walk:
    """Goes from the input through operations of which each reads the one before alone."""

    def __init__(
        self, operations: Iterable[_Operation], constant: _Constant, shape: _Shape, channels: int
    ) -> None:
        self._readers: dict[str, list[_Operation]] = {}
        for operation in operations:
            for name in dict.fromkeys(operation.taken) if operation.kind != "shape" else ():
                self._readers.setdefault(name, []).append(operation)
        self._constant = constant
        self._shape = shape
        self._straight = list(range(channels))

    def begun_at(self, tensor: str) -> list[Step]:
        """What is done from a tensor on, up to the first layer."""
        steps: list[Step] = []
        while readers := self._readers.get(tensor, []):
            first = readers[0]
            if len(readers) > 1 or first.kind in _SPLITS:
                step, tensor = self._reordered(tensor, readers)
            elif first.kind in _PASSED or (first.kind == "relu" and not steps):  # pixels are not below 0
                step, tensor = None, first.given[0]
                continue
            else:
                step, tensor = self._step(first, tensor), first.given[0] if first.given else ""
            if step is None:
                break
            steps.append(step)
        return steps

    def _step(self, operation: _Operation, tensor: str) -> Step | None:
        if operation.kind in _ARITHMETIC:
            return self._scaled(operation, tensor)
        order = self._order(operation) if operation.kind in _TURNS else None
        return None if order is None else ("order", np.array(order))

    def _scaled(self, operation: _Operation, tensor: str) -> Step | None:
        """What is done with the constant; None without one, or where it stands before a minus or a slash."""
        kind = _ARITHMETIC[operation.kind]
        operands = [None if name == tensor else self._constant(name) for name in operation.taken]
        if len(operands) != 2:
            return None
        first, second = operands
        if second is not None:
            return kind, second
        if first is None or kind in ("subtract", "divide"):
            return None
        return kind, first

    def _order(self, operation: _Operation) -> list[int] | None:
        """Where each channel is taken from, of an operation that turns or cuts; None if some are left out."""
        if operation.kind in _GATHERS:
            value = self._constant(operation.taken[1]) if len(operation.taken) > 1 else None
            chosen = [] if value is None else [int(number) for number in np.asarray(value).reshape(-1)]
        else:
            chosen = self._kept(operation) or []
        return chosen if sorted(chosen) == self._straight else None

    def _kept(self, operation: _Operation) -> list[int] | None:
        before, after = (self._shape(names[0]) for names in (operation.taken, operation.given))
        return remaining_channels(operation.cuts, before, after, len(self._straight))

    def _reordered(self, tensor: str, readers: Sequence[_Operation]) -> tuple[Step | None, str]:
        """Channels that are taken apart and put together: the order, and what comes of it."""
        places: dict[str, int] = {}
        for reader in readers:
            if reader.kind in _SPLITS:
                places |= {name: place for place, name in enumerate(reader.given)}
            elif reader.kind in _SLICES and reader.taken[0] == tensor:
                kept = self._kept(reader) or []
                if len(kept) == 1:
                    places[reader.given[0]] = kept[0]
        joins = {id(join): join for name in places for join in self._readers.get(name, [])}
        if len(joins) != 1:
            return None, ""
        (join,) = joins.values()
        order = [places[name] for name in join.taken if name in places]
        if join.kind not in _JOINS or sorted(order) != self._straight:
            return None, ""
        return ("order", np.array(order)), join.given[0]


def _tensorflow_constant(tensor: Any) -> Array | None:
    """The value of a tensor that depends on no input."""
    from ..quiet import import_tensorflow

    operation = tensor.op
    if operation.type == "Const":
        value: Array = import_tensorflow().make_ndarray(operation.get_attr("value"))
        return value
    if operation.type in ("Identity", "Cast", "Reshape", "Squeeze", "ExpandDims"):
        return _tensorflow_constant(operation.inputs[0])
    if operation.type not in _FOLDED:
        return None
    taken = [_tensorflow_constant(part) for part in operation.inputs]
    if any(value is None for value in taken):
        return None
    return np.asarray(_FOLDED[operation.type](*taken))


def _tflite_constant(schema: Any, model: Any, tensor: Any) -> Array | None:
    """The numbers of a constant tensor, dequantized; None for others."""
    dtypes = {
        schema.TensorType.FLOAT32: np.float32,
        schema.TensorType.INT8: np.int8,
        schema.TensorType.UINT8: np.uint8,
        schema.TensorType.INT32: np.int32,
    }
    data = model.buffers[tensor.buffer].data
    if data is None or len(data) == 0 or tensor.type not in dtypes:
        return None
    value: Array = np.asarray(data, dtype=np.uint8).view(dtypes[tensor.type])
    quantization = tensor.quantization
    whole = tensor.type in (schema.TensorType.FLOAT32, schema.TensorType.INT32)
    if whole or quantization is None or quantization.scale is None:
        return value
    dequantized: Array = value.astype(np.float32) - np.float32(quantization.zeroPoint[0])
    return dequantized * np.float32(quantization.scale[0])

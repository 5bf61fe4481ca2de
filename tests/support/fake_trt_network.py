"""The network of a fake TensorRT: the layers and tensors of real ONNX, as far as builders look at them."""

from __future__ import annotations

from typing import Any

import onnx
from fake_trt_release import NUMPY_TYPES, Release
from onnx import TensorProto

__all__ = ["FakeNetwork", "FakeTensor"]


_TYPES = {
    TensorProto.FLOAT: "FLOAT",
    TensorProto.FLOAT16: "HALF",
    TensorProto.INT8: "INT8",
    TensorProto.INT32: "INT32",
    TensorProto.INT64: "INT64",
    TensorProto.BOOL: "BOOL",
    TensorProto.UINT8: "UINT8",
}
_LAYERS = {"QuantizeLinear": "QUANTIZE", "DequantizeLinear": "DEQUANTIZE"}


class FakeTensor:
    """``ITensor``."""

    def __init__(self, release: Release, value: Any) -> None:
        self.name = str(value.name)
        self.is_shape_tensor = False
        kind = _TYPES[value.type.tensor_type.elem_type]
        kinds = release.enums()["DataType"]
        self.dtype = kinds["INT32" if release.is_old and kind == "INT64" else kind]
        dims = value.type.tensor_type.shape.dim
        self.shape = tuple(dim.dim_value if dim.HasField("dim_value") else -1 for dim in dims)


class FakeLayer:
    """``ILayer``; an input that is not known is a constant, or left out."""

    def __init__(
        self, kind: Any, name: str, inputs: list[FakeTensor | None], outputs: list[FakeTensor]
    ) -> None:
        self.type = kind
        self.name = name
        self._inputs = inputs
        self._outputs = outputs
        self.num_inputs = len(inputs)
        self.num_outputs = len(outputs)
        self.precision: Any = None
        self.output_types: dict[int, Any] = {}

    def set_output_type(self, index: int, kind: Any) -> None:
        self.output_types[index] = kind

    @property
    def is_held(self) -> bool:
        """Whether it may run in no other precision than float32."""
        types = [self.precision, *(self.output_types.get(index) for index in range(self.num_outputs))]
        return all(kind is not None and kind.name == "FLOAT" for kind in types)

    @property
    def gives_float32(self) -> bool:
        return all(tensor.dtype.name == "FLOAT" for tensor in self._outputs)

    def get_input(self, index: int) -> FakeTensor | None:
        return self._inputs[index]

    def get_output(self, index: int) -> FakeTensor:
        return self._outputs[index]


class FakeNetwork:
    """``INetworkDefinition``."""

    def __init__(self, release: Release, flags: int) -> None:
        self._release = release
        self._flags = flags
        self.model = b""
        self.inputs: list[FakeTensor] = []
        self.outputs: list[FakeTensor] = []
        self.layers: list[FakeLayer] = []

    def has(self, flag: str) -> bool:
        kinds = self._release.enums()["NetworkDefinitionCreationFlag"]
        return hasattr(kinds, flag) and bool(self._flags & 1 << kinds[flag])

    def read(self, model: bytes) -> None:
        self.model = model
        graph = onnx.shape_inference.infer_shapes(onnx.load_from_string(model)).graph
        known = {value.name: value for value in [*graph.value_info, *graph.output]}

        def tensors(values: Any) -> list[FakeTensor]:
            return [FakeTensor(self._release, value) for value in values]

        self.inputs, self.outputs = tensors(graph.input), tensors(graph.output)
        known.update({value.name: value for value in graph.input})
        kinds = self._release.enums()["LayerType"]
        self.layers = [
            FakeLayer(
                kinds[_LAYERS.get(node.op_type, "ELEMENTWISE")],
                node.name,
                [FakeTensor(self._release, known[name]) if name in known else None for name in node.input],
                tensors(known[name] for name in node.output if name in known),
            )
            for node in graph.node
        ]

    @property
    def num_inputs(self) -> int:
        return len(self.inputs)

    @property
    def num_layers(self) -> int:
        return len(self.layers)

    def get_input(self, index: int) -> FakeTensor:
        return self.inputs[index]

    def get_layer(self, index: int) -> FakeLayer:
        return self.layers[index]

    def types(self) -> set[str]:
        return {
            layer.get_output(index).dtype.name for layer in self.layers for index in range(layer.num_outputs)
        }


assert set(_TYPES.values()) == set(NUMPY_TYPES)

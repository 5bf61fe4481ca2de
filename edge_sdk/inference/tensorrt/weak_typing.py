"""The precision of the ONNX in a network without types of its own, as TensorRT 8.6 makes them.

There a flag of the builder allows a precision everywhere: with ``FP16``, it may run any layer in float16 that
is faster so, whatever the ONNX says, and a sum or a mean that needs float32 overflows. So each layer that
gives float32 is held to that, as ``trtexec --layerPrecisions --layerOutputTypes
--precisionConstraints=obey`` does it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .library import Library

__all__ = ["element_types", "float32_layers", "set_precision"]


def set_precision(library: Library, network: Any, config: Any) -> None:
    """Allow the precisions that are in a network, and no layer a lower one than its own.

    Args:
        library: Whose networks are weakly typed.
        network: Parsed.
        config: Of the builder.
    """
    flags = library.trt.BuilderFlag
    found = element_types(network)
    if "INT8" in found:  # given by pairs of Q and DQ, beside which nothing else becomes int8
        config.set_flag(flags.INT8)
    if "HALF" in found:
        config.set_flag(flags.FP16)
        config.set_flag(flags.OBEY_PRECISION_CONSTRAINTS)
        float32 = library.trt.DataType.FLOAT
        for layer, outputs in float32_layers(library.trt, network):
            layer.precision = float32
            for index in outputs:
                layer.set_output_type(index, float32)


def element_types(network: Any) -> set[str]:
    """Of all that its layers give, in TensorRT's names: ``FLOAT``, ``HALF``, ``INT8``."""
    return {tensor.dtype.name for layer in _layers(network) for _, tensor in _outputs(layer)}


def float32_layers(trt: Any, network: Any) -> Iterator[tuple[Any, list[int]]]:
    """The layers that work in float32, each with its outputs that are of it.

    Args:
        trt: TensorRT's module.
        network: Parsed.
    """
    pair = {trt.LayerType.QUANTIZE, trt.LayerType.DEQUANTIZE}
    after_dq = {
        tensor.name
        for layer in _layers(network)
        if layer.type == trt.LayerType.DEQUANTIZE
        for _, tensor in _outputs(layer)
    }
    for layer in _layers(network):
        given = [layer.get_input(index) for index in range(layer.num_inputs)]
        inputs = [tensor for tensor in given if tensor is not None]
        # What stands between DQ and Q is int8 in truth: held to float32, it would not be any more.
        if layer.type in pair or any(tensor.name in after_dq for tensor in inputs):
            continue
        # Shapes are computed by the computer; TensorRT refuses a precision for them.
        if any(tensor.is_shape_tensor for tensor in inputs):
            continue
        outputs = [index for index, tensor in _outputs(layer) if tensor.dtype.name == "FLOAT"]
        if outputs:
            yield layer, outputs


def _layers(network: Any) -> Iterator[Any]:
    return (network.get_layer(index) for index in range(network.num_layers))


def _outputs(layer: Any) -> Iterator[tuple[int, Any]]:
    return ((index, layer.get_output(index)) for index in range(layer.num_outputs))

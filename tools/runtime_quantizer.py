"""int8 by ``onnxruntime.quantization``, with the options that come nearest to what TensorRT takes.

Each runs in a process of its own, whose peak of memory is told.
"""

from __future__ import annotations

import logging
import multiprocessing
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import onnx

from converters.variants.onnx_graph import LAYERS, OnnxGraph
from converters.variants.onnx_layers import place
from converters.variants.onnx_prepared import PreparedOnnx
from edge_sdk.contract.values import Float32Array

__all__ = ["METHODS", "Quantized", "quantize_by_runtime"]

METHODS = ("MinMax", "Percentile", "Entropy")
"""Its calibrators."""

_PERCENTILE = 99.99
_SUMS = "Add"


class Quantized(NamedTuple):
    """What came out, and how much memory its process held at most."""

    content: bytes
    peak_bytes: int


def quantize_by_runtime(
    prepared: PreparedOnnx, calibration: Sequence[Float32Array], method: str, *, heads_in_float: bool
) -> Quantized:
    """Quantize the same layers and sums as :mod:`converters.variants.onnx_layers` chooses.

    Its placement gives both sides of a sum a pair: there is no option for one.

    Args:
        prepared: The model in float32.
        calibration: Tensors for its input.
        method: Of :data:`METHODS`.
        heads_in_float: Keep the last layers in float.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_quantize, prepared, calibration, method, heads_in_float).result()


def _quantize(
    prepared: PreparedOnnx,
    calibration: Sequence[Float32Array],
    method: str,
    heads_in_float: bool,  # noqa: FBT001
) -> Quantized:
    from onnxruntime import quantization

    logging.disable(logging.WARNING)
    placement = place(OnnxGraph(prepared.load()), heads_in_float=heads_in_float)
    names = [node.name for node in placement.layers] + [node.name for node, _ in placement.sums]
    kinds = [*LAYERS, _SUMS]
    with tempfile.TemporaryDirectory(prefix="edge-sdk-") as folder:
        source, target = Path(folder, "float.onnx"), Path(folder, "int8.onnx")
        source.write_bytes(prepared.content)
        quantization.quantize_static(
            source,
            target,
            _reader(prepared.input_name, calibration),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=kinds,
            nodes_to_quantize=list(dict.fromkeys(names)),
            per_channel=True,
            activation_type=quantization.QuantType.QInt8,
            weight_type=quantization.QuantType.QInt8,
            calibrate_method=quantization.CalibrationMethod[method],
            extra_options={
                "ActivationSymmetric": True,
                "WeightSymmetric": True,
                "CalibTensorRangeSymmetric": True,
                "CalibPercentile": _PERCENTILE,
                "QuantizeBias": False,
                "AddQDQPairToWeight": True,
                "DedicatedQDQPair": True,
                "OpTypesToExcludeOutputQuantization": kinds,
            },
        )
        made = onnx.load(target)
    peak_bytes = _peak_bytes()
    return Quantized(prepared.finish(made), peak_bytes)


def _peak_bytes() -> int:
    """Of this process; what ``getrusage`` says begins with what its parent held."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name == "VmHWM":
            return 1024 * int(value.split()[0])
    return 0


def _reader(input_name: str, calibration: Sequence[Float32Array]) -> Any:
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        """Gives one tensor after the other."""

        def __init__(self) -> None:
            self._tensors: Iterator[Float32Array] = iter(calibration)

        def get_next(self) -> dict[str, Float32Array] | None:
            """The next one; None behind the last."""
            tensor = next(self._tensors, None)
            return None if tensor is None else {input_name: tensor}

    return Reader()

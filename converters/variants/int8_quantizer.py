"""One model in int8, as often as wanted: ranges of activations are measured once, which takes longest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edge_sdk.contract.values import Array

from ..quiet import import_tensorflow, quiet_libraries
from ..sources.source_model import TracedModel
from .made import Calibration
from .tflite_conversion import calibrate, converter_of, refusals_as_ours
from .tflite_names import name_tensors

__all__ = ["MOST_SAMPLES", "Int8Quantizer"]

MOST_SAMPLES = 64
"""Calibration tensors that are kept, to measure on them what an integer model gets wrong."""

# Kept in float, so that scores are not multiples of 1/256: their inputs are dequantized instead.
_FLOAT_OPERATIONS = ["LOGISTIC", "SOFTMAX"]


class Int8Quantizer:
    """A model whose ranges have been measured.

    Args:
        model: What to convert.
        calibration: Tensors to measure ranges on; gone through once.

    Raises:
        ConversionError: The converter refuses the model.
    """

    def __init__(self, model: TracedModel, calibration: Calibration) -> None:
        self._model = model
        self._samples = _Thinned(MOST_SAMPLES)

        def kept() -> Iterator[Array]:
            for tensor in calibration():
                self._samples.add(tensor)
                yield tensor

        with converter_of(model) as converter:
            calibrate(converter, kept, "TFLITE_BUILTINS_INT8")
            experimental = import_tensorflow().lite.experimental
            self._options = experimental.QuantizationDebugOptions(denylisted_ops=_FLOAT_OPERATIONS)
            self._debugger = experimental.QuantizationDebugger(
                converter=converter, debug_dataset=self.samples, debug_options=self._options
            )

    @property
    def calibrated(self) -> bytes:
        """The ``.tflite`` in float, with its ranges noted; it runs as the float model does.

        Its operations have the names by which they are kept in float.
        """
        return bytes(self._debugger.calibrated_model)

    @property
    def float_model(self) -> bytes:
        """The same with the model's own names for input and outputs."""
        return name_tensors(self.calibrated, self._model)

    def samples(self) -> Sequence[Array]:
        """At most :data:`MOST_SAMPLES` of the calibration tensors, spread evenly over them."""
        return self._samples.kept

    def quantize(self, float_names: Sequence[str] = ()) -> bytes:
        """The ``.tflite`` in int8; input, output and the last activation in float32.

        Args:
            float_names: Operations of :attr:`calibrated` to keep in float, by their output's name.

        Raises:
            ConversionError: The converter refuses.
        """
        self._options.denylisted_nodes = list(float_names)
        with refusals_as_ours(), quiet_libraries():
            return name_tensors(bytes(self._debugger.get_nondebug_quantized_model()), self._model)


class _Thinned:
    """Keeps an even choice of a sequence whose length is not known beforehand."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._step = 1
        self._seen = 0
        self.kept: list[Array] = []

    def add(self, tensor: Array) -> None:
        if self._seen % self._step == 0:
            self.kept.append(tensor.copy())
            if len(self.kept) > self._most:
                del self.kept[1::2]
                self._step *= 2
        self._seen += 1

"""One model in int8, as often as wanted: ranges of activations are measured once, which takes longest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edge_sdk.contract.manifest import ModelFormat
from edge_sdk.contract.values import Array

from ..quiet import quiet_libraries
from ..sources.source_model import TracedModel
from .kept_samples import MOST_SAMPLES, ThinnedSamples
from .made import Calibration
from .tflite_conversion import calibrate, converter_of, refusals_as_ours
from .tflite_names import name_tensors
from .tflite_operations import Operation, read_operations

__all__ = ["Int8Quantizer"]

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

    mixed_variant = "tflite-mixed"
    format: ModelFormat = "tflite"

    def __init__(self, model: TracedModel, calibration: Calibration) -> None:
        self._model = model
        self._samples = ThinnedSamples(MOST_SAMPLES)

        def kept() -> Iterator[Array]:
            for tensor in calibration():
                self._samples.add(tensor)
                yield tensor

        with converter_of(model) as converter:
            calibrate(converter, kept, "TFLITE_BUILTINS_INT8")
            # As tf.lite.experimental.QuantizationDebugger does; but that makes, loads and keeps a
            # second integer model to look into, which nobody does here.
            converter._experimental_calibrate_only = True  # noqa: SLF001
            self._calibrated: bytes = converter.convert()

    @property
    def float_model(self) -> bytes:
        """The ``.tflite`` in float, with its ranges noted; it runs as the float model does."""
        return name_tensors(self._calibrated, self._model)

    @property
    def operations(self) -> list[Operation]:
        """Those of the float model, by whose names they are kept in float."""
        return read_operations(self._calibrated)

    def read(self, content: bytes) -> list[Operation]:
        """The operations of a model that was made."""
        return read_operations(content)

    def samples(self) -> Sequence[Array]:
        """Some of the calibration tensors, spread evenly over them."""
        return self._samples.kept

    def quantize(self, float_names: Sequence[str] = ()) -> bytes:
        """The ``.tflite`` in int8; input, output and the last activation in float32.

        Args:
            float_names: Operations to keep in float, by their output's name.

        Raises:
            ConversionError: The converter refuses.
        """
        from tensorflow.lite.python.convert import mlir_quantize

        with refusals_as_ours(), quiet_libraries():
            quantized: bytes = mlir_quantize(
                self._calibrated, denylisted_ops=_FLOAT_OPERATIONS, denylisted_nodes=list(float_names)
            )
        return name_tensors(quantized, self._model)

"""One model in int8, as often as wanted: ranges of activations are measured once, which takes longest."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from edge_sdk.contract.manifest import ModelFormat
from edge_sdk.contract.values import Array

from ..quiet import quiet_libraries
from ..sources.source_model import TracedModel
from .kept_samples import MOST_SAMPLES, ThinnedSamples
from .made import Calibration
from .stored_content import StoredContent
from .tflite_conversion import refusals_as_ours
from .tflite_names import set_names
from .tflite_operations import Operation, read_operations, refuse_loops
from .tflite_packing import pack_model, unpack_model

__all__ = ["Int8Quantizer"]

# Kept in float, so that scores are not multiples of 1/256: their inputs are dequantized instead.
_FLOAT_OPERATIONS = ["LOGISTIC", "SOFTMAX"]
_CONVERSION_METADATA = b"CONVERSION_METADATA"


class Int8Quantizer:
    """A model whose ranges have been measured.

    Args:
        float_model: The ``.tflite`` in float32.
        model: What it was made from.
        calibration: Tensors to measure ranges on; gone through once.

    Raises:
        ConversionError: The converter refuses the model.
    """

    mixed_variant = "tflite-mixed"
    format: ModelFormat = "tflite"

    def __init__(self, float_model: bytes, model: TracedModel, calibration: Calibration) -> None:
        refuse_loops(float_model)
        self._model = model
        self._samples = ThinnedSamples(MOST_SAMPLES)

        def kept() -> Iterator[list[Array]]:
            for tensor in calibration():
                self._samples.add(tensor)
                yield [tensor]

        with refusals_as_ours(), quiet_libraries():
            self._calibrated = StoredContent(_with_ranges(float_model, kept))
        gc.collect()  # the calibrator leaves copies of the model in cycles

    @property
    def float_model(self) -> bytes:
        """The ``.tflite`` in float, with its ranges noted; it runs as the float model does."""
        return self._calibrated.read()

    @property
    def operations(self) -> list[Operation]:
        """Those of the float model, by whose names they are kept in float."""
        return read_operations(self._calibrated.read())

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
                self._calibrated.read(), denylisted_ops=_FLOAT_OPERATIONS, denylisted_nodes=list(float_names)
            )
        packed = unpack_model(quantized)
        set_names(packed, self._model)
        _note_integer(packed)
        return pack_model(packed, len(quantized))


def _with_ranges(float_model: bytes, batches: Callable[[], Iterator[list[Array]]]) -> bytes:
    """A ``.tflite`` with the range of each tensor noted, as TensorFlow's converter does it.

    By the converter itself, everything would be converted anew for this, and copied more.
    """
    from tensorflow.lite.python.optimize import calibrator

    watched = calibrator.add_intermediate_tensors(float_model)
    return bytes(calibrator.Calibrator(watched).calibrate(batches))


def _note_integer(packed: Any) -> None:
    """Say in the converter's own metadata that the model was quantized, as it does itself."""
    import flatbuffers
    from tensorflow.lite.python import conversion_metadata_schema_py_generated as schema

    for entry in packed.metadata or []:
        if entry.name == _CONVERSION_METADATA:
            buffer = packed.buffers[entry.buffer]
            noted = schema.ConversionMetadataT.InitFromPackedBuf(buffer.data.tobytes(), 0)
            noted.options.modelOptimizationModes = [schema.ModelOptimizationMode.PTQ_FULL_INTEGER]
            builder = flatbuffers.Builder()
            builder.Finish(noted.Pack(builder))
            buffer.data = np.frombuffer(builder.Output(), dtype=np.uint8)

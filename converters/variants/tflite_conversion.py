"""From a TensorFlow function to ``.tflite`` bytes, by the SavedModel route.

The other routes fail with Keras 3: ``from_concrete_functions`` gives int8 models that break when
they run, ``from_keras_model`` writes to the terminal. The same function gives the same bytes.
Large weights are saved as variables: as constants they would be copied with every graph on the way.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from edge_sdk.contract.values import Array
from edge_sdk.errors import ConversionError

from ..quiet import import_tensorflow, quiet_libraries
from ..sources.source_model import TracedModel
from .tflite_names import name_tensors

__all__ = [
    "calibrate",
    "convert_dynamic",
    "convert_float16",
    "convert_float32",
    "convert_int16x8",
    "converter_of",
    "refusals_as_ours",
]

_Calibration = Callable[[], Iterable[Array]]


def convert_float32(model: TracedModel) -> bytes:
    """Weights and arithmetic in float32."""
    with converter_of(model) as converter:
        return name_tensors(bytes(converter.convert()), model)


def convert_float16(model: TracedModel) -> bytes:
    """Weights in float16, arithmetic in what the device has."""
    with converter_of(model) as converter:
        _optimise(converter)
        converter.target_spec.supported_types = [import_tensorflow().float16]
        return name_tensors(bytes(converter.convert()), model)


def convert_dynamic(model: TracedModel) -> bytes:
    """Weights in int8, activations quantized on the fly."""
    with converter_of(model) as converter:
        _optimise(converter)
        return name_tensors(bytes(converter.convert()), model)


def convert_int16x8(model: TracedModel, calibration: _Calibration) -> bytes:
    """Weights in int8, activations in int16; input and output in float32."""
    with converter_of(model) as converter:
        calibrate(converter, calibration, "EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8")
        return name_tensors(bytes(converter.convert()), model)


@contextlib.contextmanager
def converter_of(model: TracedModel) -> Iterator[Any]:
    """A converter for the model; what it raises inside the block becomes ours.

    Raises:
        ConversionError: The converter refuses the model.
    """
    tensorflow = import_tensorflow()
    module = tensorflow.Module()
    module.weights = list(model.flat.large_weights.values())  # saved only if they can be reached
    with (
        refusals_as_ours(),
        tempfile.TemporaryDirectory(prefix="edge-sdk-") as folder,
        quiet_libraries(),
    ):
        # Gradients are of no use here, and those of SiLU (EfficientNetV2) cannot be saved.
        options = tensorflow.saved_model.SaveOptions(experimental_custom_gradients=False)
        signatures = {"serving_default": _named(model)}
        tensorflow.saved_model.save(module, folder, signatures=signatures, options=options)
        yield tensorflow.lite.TFLiteConverter.from_saved_model(folder)


@contextlib.contextmanager
def refusals_as_ours() -> Iterator[None]:
    """What the converter raises inside the block becomes a :class:`ConversionError`."""
    try:
        yield
    except _converter_errors() as error:
        raise ConversionError(f"the TFLite converter refuses the model: {_first_line(error)}") from error


def calibrate(converter: Any, calibration: _Calibration, operations: str) -> None:
    """Tell a converter to measure ranges, and which set of integer operations to use."""
    sets = import_tensorflow().lite.OpsSet
    _optimise(converter)
    converter.representative_dataset = _as_converter_wants(calibration)
    # With the float set beside it, an operation without an integer kernel (a spectrogram's FFT) stays float.
    converter.target_spec.supported_ops = [getattr(sets, operations), sets.TFLITE_BUILTINS]


def _named(model: TracedModel) -> Any:
    """The function with its outputs named, as a signature wants it."""
    tensorflow = import_tensorflow()
    taken = model.function.inputs[0]
    signature = [tensorflow.TensorSpec.from_tensor(taken, name=taken.op.name)]

    def serve(batch: Any) -> dict[str, Any]:
        answers = model.function(batch)
        return {spec.name: answer for spec, answer in zip(model.outputs, answers, strict=True)}

    return tensorflow.function(serve, input_signature=signature, autograph=False).get_concrete_function()


def _converter_errors() -> tuple[type[Exception], ...]:
    from tensorflow.lite.python.convert_phase import ConverterError

    errors = import_tensorflow().errors
    # Exporting raises AssertionError for a graph that it cannot save.
    return (errors.OpError, ConverterError, RuntimeError, ValueError, TypeError, AssertionError)


def _optimise(converter: Any) -> None:
    converter.optimizations = [import_tensorflow().lite.Optimize.DEFAULT]


def _as_converter_wants(calibration: _Calibration) -> Callable[[], Iterator[list[Array]]]:
    def batches() -> Iterator[list[Array]]:
        for tensor in calibration():
            yield [tensor]

    return batches


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__

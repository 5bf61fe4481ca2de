"""From a TensorFlow function to ``.tflite`` bytes, by the SavedModel route.

The other routes fail with Keras 3: ``from_concrete_functions`` gives int8 models that break when
they run, ``from_keras_model`` writes to the terminal. The same function gives the same bytes.
Large weights are saved as variables: as constants they would be copied with every graph on the way.
"""

from __future__ import annotations

import contextlib
import gc
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

from edge_sdk.errors import ConversionError

from ..quiet import import_tensorflow, quiet_libraries
from ..sources.source_model import TracedModel
from .made import Calibration
from .tflite_names import name_tensors

__all__ = ["convert_dynamic", "convert_float16", "convert_float32", "convert_int16x8", "refusals_as_ours"]


def convert_float32(model: TracedModel) -> bytes:
    """Weights and arithmetic in float32."""
    return _converted(model, lambda _: None)


def convert_float16(model: TracedModel) -> bytes:
    """Weights in float16, arithmetic in what the device has."""

    def set_up(converter: Any) -> None:
        _optimise(converter)
        converter.target_spec.supported_types = [import_tensorflow().float16]

    return _converted(model, set_up)


def convert_dynamic(model: TracedModel) -> bytes:
    """Weights in int8, activations quantized on the fly."""
    return _converted(model, _optimise)


def convert_int16x8(model: TracedModel, calibration: Calibration) -> bytes:
    """Weights in int8, activations in int16; input and output in float32."""

    def set_up(converter: Any) -> None:
        sets = import_tensorflow().lite.OpsSet
        integer = sets.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        _optimise(converter)
        converter.representative_dataset = lambda: ([tensor] for tensor in calibration())
        # With the float set beside it, an operation without an integer kernel (a spectrogram's FFT)
        # stays float.
        converter.target_spec.supported_ops = [integer, sets.TFLITE_BUILTINS]

    return _converted(model, set_up)


def _converted(model: TracedModel, set_up: Callable[[Any], None]) -> bytes:
    """What the converter makes of the model.

    Raises:
        ConversionError: It refuses the model.
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
        with _bytecode_not_written():
            tensorflow.saved_model.save(module, folder, signatures=signatures, options=options)
        converter = tensorflow.lite.TFLiteConverter.from_saved_model(folder)
        set_up(converter)
        content: bytes = converter.convert()
    del converter
    gc.collect()  # it leaves copies of the model in cycles
    return name_tensors(content, model)


@contextlib.contextmanager
def _bytecode_not_written() -> Iterator[None]:
    """TensorFlow imports code that it has written to the temporary folder, and removes only its source."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


@contextlib.contextmanager
def refusals_as_ours() -> Iterator[None]:
    """What the converter raises inside the block becomes a :class:`ConversionError`."""
    try:
        yield
    except _converter_errors() as error:
        raise ConversionError(f"the TFLite converter refuses the model: {_first_line(error)}") from error


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


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__

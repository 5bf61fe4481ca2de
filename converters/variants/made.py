"""What variants are made from, and what comes out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from edge_sdk.console.progress import Progress, SilentProgress
from edge_sdk.contract.values import Array, TensorSpec
from edge_sdk.errors import ConversionError

from ..sources.source_model import SourceModel, TracedModel
from .stored_content import StoredContent

if TYPE_CHECKING:
    from .int8_quantizer import Int8Quantizer
    from .onnx_int8 import OnnxQuantizer
    from .onnx_prepared import PreparedOnnx

__all__ = ["Calibration", "Made", "Materials", "fixed_shape", "require_calibration"]

_GivenT = TypeVar("_GivenT")

Calibration: TypeAlias = Callable[[], Iterable[Array]]
"""Gives the model's input tensors for the calibration samples, batch of 1, the same each time."""


@dataclass(frozen=True, slots=True)
class Made:
    """One variant's file.

    Attributes:
        content: Its bytes.
        note: What a user should know about how it was made.
        float_layers: Layers that were kept in float, by name, where others are integer.
        judged: What is judged in its place, where kernels on a CPU do not round as the file says and
            those on a GPU do; None where the file itself is.
    """

    content: bytes
    note: str = ""
    float_layers: tuple[str, ...] = ()
    judged: bytes | None = None


@dataclass
class Materials:
    """What the variants of one model are made from; ranges are measured once for all of them.

    Attributes:
        source: The trained model.
        calibration: Tensors for integer variants, if any samples were given.
        samples: What the model is fed for a few samples.
        progress: Told about long steps inside one variant.
        heads_in_float: Whether the last layers stay in float, as those that give boxes must.
        modelopt_python: Where NVIDIA's Model Optimizer is installed, if that shall make int8 ONNX.
    """

    source: SourceModel
    calibration: Calibration | None = None
    samples: Sequence[Array] = ()
    progress: Progress = field(default_factory=SilentProgress)
    heads_in_float: bool = False
    modelopt_python: Path | None = None

    @property
    def traced(self) -> TracedModel:
        """What is converted.

        Raises:
            ConversionError: The model was taken as it is.
        """
        if self.source.traced is None:
            raise ConversionError(f"{self.source.name} is a converted model already")
        return self.source.traced

    @property
    def required_calibration(self) -> Calibration:
        """The calibration tensors.

        Raises:
            ConversionError: There are none.
        """
        return require_calibration(self.calibration)

    @property
    def float_tflite(self) -> bytes:
        """The model as ``.tflite`` in float32.

        Raises:
            ConversionError: It cannot be made.
        """
        return self._float_tflite.read()

    @cached_property
    def _float_tflite(self) -> StoredContent:
        from .tflite_conversion import convert_float32

        return StoredContent(convert_float32(self.traced))

    @cached_property
    def float_onnx(self) -> bytes:
        """The model as ``.onnx`` in float32: made from it, or as it was given.

        Raises:
            ConversionError: It cannot be made.
            BackendError: It was tried while it was made, and does not run.
        """
        if self.source.format == "onnx" and self.source.content is not None:
            return self.source.content
        if self.source.format == "tflite":
            from .onnx_of_tflite import convert_tflite

            return convert_tflite(self.source, self.samples)
        from .onnx_conversion import convert_onnx

        return convert_onnx(self.traced)

    @cached_property
    def prepared_onnx(self) -> PreparedOnnx:
        """The same, simplified: what ONNX of other precision is made from.

        Of a quantized ``.tflite`` it is that without the rounding; a quantized ``.onnx`` is refused.

        Raises:
            ConversionError: It cannot be made, or not from this model.
            BackendError: As for :attr:`float_onnx`.
        """
        from .onnx_dequantized import dequantize_onnx
        from .onnx_prepared import prepare_onnx

        shape = fixed_shape(self.source.input, self.samples)
        content = self.float_onnx
        if self.source.format == "tflite":
            content = dequantize_onnx(content)
        return prepare_onnx(content, self.source.input.name, shape)

    @cached_property
    def prepared_note(self) -> str:
        """What a user should know about :attr:`prepared_onnx`."""
        from .onnx_graph import is_quantized

        if self.source.format == "tflite" and is_quantized(self.float_onnx):
            return f"made from {self.source.name} without its rounding to integers"
        return ""

    @cached_property
    def onnx_quantizer(self) -> OnnxQuantizer:
        """The ONNX model with its measured ranges.

        Raises:
            ConversionError: There is no calibration, or no layer that could be int8.
            BackendError: As for :attr:`float_onnx`.
        """
        from .onnx_int8 import OnnxQuantizer

        return OnnxQuantizer(
            self.prepared_onnx, self.required_calibration, heads_in_float=self.heads_in_float
        )

    @cached_property
    def quantizer(self) -> Int8Quantizer:
        """The TFLite model with its measured ranges.

        Raises:
            ConversionError: There is no calibration, or the converter refuses the model.
        """
        from .int8_quantizer import Int8Quantizer

        calibration = self.required_calibration
        return Int8Quantizer(self.float_tflite, self.traced, calibration)


def require_calibration(given: _GivenT | None) -> _GivenT:
    """What integer variants are calibrated with, in whatever form.

    Raises:
        ConversionError: There is none.
    """
    if given is None:
        raise ConversionError("integer arithmetic needs calibration samples; none were given")
    return given


def fixed_shape(model_input: TensorSpec, samples: Sequence[Array]) -> tuple[int, ...]:
    """The shape of what a model is fed: of its samples, or its own with a batch of 1.

    Raises:
        ConversionError: It is open, and there are no samples.
    """
    if samples:
        return samples[0].shape
    shape = (model_input.shape[0] or 1, *model_input.shape[1:])
    fixed = tuple(extent for extent in shape if extent is not None)
    if len(fixed) != len(shape):
        raise ConversionError(f"the shape of the input '{model_input.name}' is open: {list(shape)}")
    return fixed

"""What variants are made from, and what comes out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from edge_sdk.console.progress import Progress, SilentProgress
from edge_sdk.contract.values import Array
from edge_sdk.errors import ConversionError

from ..sources.source_model import SourceModel, TracedModel

if TYPE_CHECKING:
    from .int8_quantizer import Int8Quantizer

__all__ = ["Calibration", "Made", "Materials"]

Calibration: TypeAlias = Callable[[], Iterable[Array]]
"""Gives the model's input tensors for the calibration samples, batch of 1, the same each time."""


@dataclass(frozen=True, slots=True)
class Made:
    """One variant's file.

    Attributes:
        content: Its bytes.
        note: What a user should know about how it was made.
        float_layers: Layers that were kept in float, by name, where others are integer.
    """

    content: bytes
    note: str = ""
    float_layers: tuple[str, ...] = ()


@dataclass
class Materials:
    """What the variants of one model are made from; ranges are measured once for all of them.

    Attributes:
        source: The trained model.
        calibration: Tensors for integer variants, if any samples were given.
        samples: What the model is fed for a few samples.
        progress: Told about long steps inside one variant.
    """

    source: SourceModel
    calibration: Calibration | None = None
    samples: Sequence[Array] = ()
    progress: Progress = field(default_factory=SilentProgress)

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
        if self.calibration is None:
            raise ConversionError("integer arithmetic needs calibration samples; none were given")
        return self.calibration

    @cached_property
    def quantizer(self) -> Int8Quantizer:
        """The model with its measured ranges.

        Raises:
            ConversionError: There is no calibration, or the converter refuses the model.
        """
        from .int8_quantizer import Int8Quantizer

        return Int8Quantizer(self.traced, self.required_calibration)

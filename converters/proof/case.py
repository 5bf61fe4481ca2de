"""What is tried: a trained model as its spec describes it, and the samples that judge it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from msgspec import Struct, structs

from ..data.labelled_set import LabelledSet
from ..sources.source_model import SourceModel
from ..spec.conversion_spec import ConversionSpec
from ..variants.made import require_calibration
from .acceptance import Acceptance

__all__ = ["Case", "manifest_part"]

SetT = TypeVar("SetT", bound=LabelledSet[Any])
_PartT = TypeVar("_PartT", bound=Struct)


@dataclass(frozen=True)
class Case(Generic[SetT]):
    """One model and its data sets.

    Attributes:
        spec: How the model is fed and read.
        source: The trained model.
        calibration: Samples for integer variants, if any were given.
        evaluation: Samples that judge.
        max_drop: How much the metric may lose.
        acceptance: What the model may contradict in the spec.
    """

    spec: ConversionSpec
    source: SourceModel
    calibration: SetT | None
    evaluation: SetT
    max_drop: float
    acceptance: Acceptance

    @property
    def required_calibration(self) -> SetT:
        """The calibration samples. Those that judge never stand in for them.

        Raises:
            ConversionError: There are none.
        """
        return require_calibration(self.calibration)

    @property
    def tried_first(self) -> SetT:
        """Samples to feed the model with before any work starts."""
        return self.evaluation if self.calibration is None else self.calibration


def manifest_part(source: SourceModel, part: _PartT) -> _PartT:
    """An input or output as the manifest has it: made variants have one tensor, which needs no name."""
    return part if source.traced is None else structs.replace(part, name="")

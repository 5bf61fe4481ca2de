"""What a SPEC.toml says, in the manifest's own terms: what a conversion works with."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.manifest import AudioInput, ClassesOutput, FrameRule, Label, Rule
from edge_sdk.errors import SpecError

from .detector_table import DetectorTable

__all__ = ["ConversionSpec"]


@dataclass(frozen=True)
class ConversionSpec:
    """A spec that holds, in the manifest's own terms.

    Attributes:
        name, version, description: As written.
        labels: In the order of the model's outputs.
        input: What the model is fed.
        output: How it is read; a detector's is completed by the model's own outputs.
        rules: Sound: by label id; a label without one is scored and never alerts.
        frame_rules: The same for pictures.
        accepted: Why a contradiction of the model is no mistake, by the key under ``[image]`` or
            ``[detector]``.
    """

    name: str
    version: str
    description: str
    labels: tuple[Label, ...]
    input: AudioInput | ImageInput
    output: ClassesOutput | DetectorTable
    rules: dict[str, Rule]
    frame_rules: dict[str, FrameRule]
    accepted: dict[str, str] = field(default_factory=dict)

    @property
    def label_ids(self) -> tuple[str, ...]:
        """Label ids in the order of the model's outputs."""
        return tuple(label.id for label in self.labels)

    @property
    def audio(self) -> AudioInput:
        """The input of a model that listens.

        Raises:
            SpecError: The model looks at pictures.
        """
        if isinstance(self.input, AudioInput):
            return self.input
        raise SpecError(f"the spec of {self.name} describes pictures, not sound")

    @property
    def image(self) -> ImageInput:
        """The input of a model that looks at pictures.

        Raises:
            SpecError: The model listens.
        """
        if isinstance(self.input, ImageInput):
            return self.input
        raise SpecError(f"the spec of {self.name} describes sound, not pictures")

    @property
    def classes(self) -> ClassesOutput:
        """The output of a classifier.

        Raises:
            SpecError: The model finds boxes.
        """
        if isinstance(self.output, ClassesOutput):
            return self.output
        raise SpecError(f"the spec of {self.name} describes boxes, not scores of a whole input")

    @property
    def detector(self) -> DetectorTable:
        """How a detector is read.

        Raises:
            SpecError: The model gives scores alone.
        """
        if isinstance(self.output, DetectorTable):
            return self.output
        raise SpecError(f"the spec of {self.name} describes scores, not boxes")

    @property
    def thresholds(self) -> dict[str, float]:
        """What a score must reach, for each label that has a rule."""
        by_label: dict[str, Rule | FrameRule] = {**self.rules, **self.frame_rules}
        return {label_id: rule.threshold for label_id, rule in by_label.items()}

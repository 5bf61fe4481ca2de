"""The manifest: what is in a bundle, how to feed the model in it, and what was proved about it.

Written by the converter, read by devices for years afterwards. Readers ignore fields they do not
know and refuse a major version or an input kind they do not know: guessing at either would turn
into wrong alerts.

Its parts are defined in modules of their own, and can all be had from here; but for those that describe
pictures and detectors, which a device that only listens never loads: :mod:`.manifest_document` knows them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct, field

from ..errors import ManifestError, UsageError
from .audio import FrontEnd
from .golden import ExpectedScores, Golden
from .identifiers import LabelId, MemberName, Name, PositiveInt, Sha256, Version
from .manifest_checks import check_manifest
from .nearest_name import nearest_hint
from .provenance import FileDigest, Provenance, SourceFile
from .rules import FrameRule, Rule
from .variant import BuildCheck, BuildRefusal, Metric, ModelFormat, Precision, Stage, Variant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .detector import DetectionOutput
    from .image import ImageInput

__all__ = [
    "SCHEMA_VERSION",
    "Activation",
    "AudioInput",
    "BuildCheck",
    "BuildRefusal",
    "ClassesOutput",
    "ExpectedScores",
    "FileDigest",
    "FrameRule",
    "Golden",
    "Label",
    "LabelId",
    "Manifest",
    "Metric",
    "ModelFormat",
    "Precision",
    "Provenance",
    "Rule",
    "Sha256",
    "SourceFile",
    "Stage",
    "Variant",
    "decode_manifest",
    "encode_manifest",
]

SCHEMA_VERSION = "1.3"

Activation: TypeAlias = Literal["none", "sigmoid", "softmax"]

_ONE = Meta(min_length=1, max_length=1)


class Label(Struct, frozen=True, kw_only=True):
    """One thing the model can tell. The order of labels is the order of the model's outputs."""

    id: LabelId
    name: str


class AudioInput(Struct, frozen=True, kw_only=True, tag="audio", tag_field="kind"):
    """A model input that is made from sound.

    Attributes:
        name: The tensor's name, or ``""`` for the model's only input.
        sample_rate_hz: The rate the model was trained at.
        window_samples: Samples one score is about.
        step_samples: Samples from the start of one window to the start of the next.
        front_end: How samples become the tensor: log-mel, or the waveform as it is.
    """

    name: str = ""
    sample_rate_hz: PositiveInt
    window_samples: PositiveInt
    step_samples: PositiveInt
    front_end: FrontEnd


class ClassesOutput(Struct, frozen=True, kw_only=True, tag="classes", tag_field="decoder"):
    """A model output that is one score for each label.

    Attributes:
        name: The tensor's name, or ``""`` for the model's only output.
        role: What it means.
        activation: What is still to be applied: ``none`` where the model ends in its own
            sigmoid or softmax.
        exclusive: True where exactly one label is right (softmax); False where labels are
            independent, and nothing over its threshold means background.
    """

    name: str = ""
    role: Literal["scores"] = "scores"
    activation: Activation = "none"
    exclusive: bool = False


class Manifest(Struct, frozen=True, kw_only=True):
    """What a bundle says about itself. See the module and the design for each part.

    JSON is read as one of two documents below it, which say what ``inputs`` and ``outputs`` may hold.
    """

    schema_version: str = SCHEMA_VERSION
    name: Name
    version: Version
    task: Literal["classify", "detect"]
    modality: Literal["audio", "image"]
    labels: Annotated[list[Label], Meta(min_length=1)]
    inputs: Sequence[AudioInput | ImageInput]
    stages: Annotated[list[Stage], Meta(min_length=1)]
    outputs: Sequence[ClassesOutput | DetectionOutput]
    rules: dict[LabelId, Rule] = {}
    frame_rules: dict[LabelId, FrameRule] = {}
    variants: Annotated[list[Variant], Meta(min_length=1)]
    golden: Golden
    files: dict[MemberName, FileDigest]
    provenance: Provenance
    description: str = field(default="")

    @property
    def label_ids(self) -> tuple[str, ...]:
        """Label ids in the order of the model's outputs."""
        return tuple(label.id for label in self.labels)

    @property
    def audio(self) -> AudioInput:
        """The only input of a model that listens.

        Raises:
            UsageError: The model looks at pictures.
        """
        first = self.inputs[0]
        if isinstance(first, AudioInput):
            return first
        raise UsageError(
            f"bundle {self.name} looks at pictures; sound cannot be put into it",
            hint="`edge-sdk predict` runs it on pictures and videos",
        )

    @property
    def image(self) -> ImageInput:
        """The only input of a model that looks at pictures.

        Raises:
            UsageError: The model listens.
        """
        first = self.inputs[0]
        if not isinstance(first, AudioInput):
            return first
        raise UsageError(f"bundle {self.name} listens to sound; pictures cannot be put into it")

    @property
    def classes(self) -> ClassesOutput:
        """The only output of a classifier.

        Raises:
            UsageError: The model finds boxes.
        """
        first = self.outputs[0]
        if isinstance(first, ClassesOutput):
            return first
        raise UsageError(f"bundle {self.name} finds boxes; it gives no score for a whole input")

    @property
    def detections(self) -> DetectionOutput:
        """The only output of a detector.

        Raises:
            UsageError: The model gives scores alone.
        """
        first = self.outputs[0]
        if not isinstance(first, ClassesOutput):
            return first
        raise UsageError(f"bundle {self.name} gives scores; it finds no boxes")

    @property
    def thresholds(self) -> dict[str, float]:
        """What a score must reach, for each label that has a rule."""
        by_label: dict[str, Rule | FrameRule] = {**self.rules, **self.frame_rules}
        return {label_id: rule.threshold for label_id, rule in by_label.items()}

    def variant(self, name: str) -> Variant:
        """The variant of that name.

        Raises:
            ManifestError: There is none.
        """
        for variant in self.variants:
            if variant.name == name:
                return variant
        names = [variant.name for variant in self.variants]
        hint = nearest_hint(name, names, otherwise=f"it has: {', '.join(names)}")
        raise ManifestError(f"bundle {self.name} has no variant '{name}'", hint=hint)


class _SoundDocument(Manifest, frozen=True, kw_only=True):
    """``manifest.json`` of a model that listens. What describes pictures is not needed to read it."""

    inputs: Annotated[list[AudioInput], _ONE]
    outputs: Annotated[list[ClassesOutput], _ONE]


class _Head(Struct):
    schema_version: str
    modality: Any = None


_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def encode_manifest(manifest: Manifest) -> bytes:
    """The manifest as indented JSON, UTF-8; the same manifest gives the same bytes."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def decode_manifest(payload: bytes) -> Manifest:
    """Read and check a manifest.

    Raises:
        ManifestError: It is not JSON, of an unknown major version, lacks a field, or contradicts
            itself; the message names the field.
    """
    head = _read_head(payload)
    document = _read_sound(payload) if head.modality == "audio" else None
    if document is None:
        document = _read_any(payload)
    manifest = Manifest(**{name: getattr(document, name) for name in document.__struct_fields__})
    check_manifest(manifest)
    return manifest


def _read_head(payload: bytes) -> _Head:
    try:
        head = msgspec.json.decode(payload, type=_Head)
    except _UNREADABLE as error:
        raise ManifestError(f"the manifest cannot be read: {error}") from error
    version = head.schema_version
    if version.partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
        raise ManifestError(
            f"the manifest has schema version {version}; this edge-sdk reads {SCHEMA_VERSION}",
            hint="install the edge-sdk release that made the bundle, or convert the model again",
        )
    return head


def _read_sound(payload: bytes) -> Manifest | None:
    """A manifest in which nothing but sound occurs; ``None`` where that does not hold."""
    try:
        return msgspec.json.decode(payload, type=_SoundDocument)
    except _UNREADABLE:
        return None  # what does not hold is told by the document that knows all there is


def _read_any(payload: bytes) -> Manifest:
    from .manifest_document import ManifestDocument  # not before there is a picture, or a fault

    try:
        return msgspec.json.decode(payload, type=ManifestDocument)
    except _UNREADABLE as error:
        raise ManifestError(f"the manifest does not hold: {error}") from error

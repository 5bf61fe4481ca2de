"""The manifest: what is in a bundle, how to feed the model in it, and what was proved about it.

Written by the converter, read by devices for years afterwards. Readers ignore fields they do not
know and refuse a major version or an input kind they do not know: guessing at either would turn
into wrong alerts.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct, field

from ..errors import ManifestError, UsageError
from .audio import FrontEnd
from .detector import CandidateBoxes, DetectionRows, DetectionTensors
from .image import ImageInput
from .manifest_checks import check_manifest

__all__ = [
    "SCHEMA_VERSION",
    "Activation",
    "AudioInput",
    "ClassesOutput",
    "DetectionOutput",
    "ExpectedScores",
    "FileDigest",
    "FrameRule",
    "Golden",
    "Input",
    "Label",
    "LabelId",
    "Manifest",
    "Metric",
    "ModelFormat",
    "Output",
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

SCHEMA_VERSION = "1.1"

# `$` alone would let a newline follow; the rest says no, to Python and to JSON Schema alike.
LabelId: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,64}$(?!\n)")]
Name: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$(?!\n)")]
Version: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.-]+)?$(?!\n)")]
Sha256: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
MemberName: TypeAlias = Annotated[
    str, Meta(pattern=r"^(models|golden)/[A-Za-z0-9_][A-Za-z0-9._-]*$(?!\n)|^report\.(json|html)$(?!\n)")
]
Score: TypeAlias = Annotated[float, Meta(ge=0.0, le=1.0)]
PositiveInt: TypeAlias = Annotated[int, Meta(gt=0)]
Count: TypeAlias = Annotated[int, Meta(ge=0)]

ModelFormat: TypeAlias = Literal["tflite", "onnx"]
Precision: TypeAlias = Literal["float32", "float16", "dynamic", "int8", "mixed", "int16x8", "as_given"]
Activation: TypeAlias = Literal["none", "sigmoid", "softmax"]


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


Input: TypeAlias = AudioInput | ImageInput
DetectionOutput: TypeAlias = CandidateBoxes | DetectionTensors | DetectionRows
Output: TypeAlias = ClassesOutput | DetectionOutput
"""What a model gives; ``decoder`` names the function of :mod:`edge_sdk.decode` that reads it."""


class Rule(Struct, frozen=True, kw_only=True):
    """When scores of one label become an event. All lengths in samples at the model's rate.

    Attributes:
        threshold: A window counts when its score is at least this.
        release: An open event goes on while a score is at least this; at most ``threshold``.
        hits: Windows that must count before the event opens.
        within_samples: ... from the start of the first to the end of the last of them.
        min_gap_samples: An event ends when this much sound has passed below ``release``.
        max_duration_samples: An event that lasts longer is ended, and may open anew.
        update_every_samples: While it is open, an update is due this often. 0 for never.
    """

    threshold: Score
    release: Score
    hits: PositiveInt = 1
    within_samples: PositiveInt
    min_gap_samples: Count
    max_duration_samples: PositiveInt
    update_every_samples: Count = 0


class FrameRule(Struct, frozen=True, kw_only=True):
    """When a label counts as seen in a picture.

    Attributes:
        threshold: A score or a detection counts when it is at least this.
    """

    threshold: Score


class Metric(Struct, frozen=True, kw_only=True):
    """A figure of merit with what it rests on.

    Attributes:
        name: For example ``accuracy`` or ``macro_auc``.
        value: The point estimate, 0..1.
        n: Samples it was computed from.
        low, high: 95 % interval, where one can be given.
    """

    name: str
    value: float
    n: Count
    low: float | None = None
    high: float | None = None


class FileDigest(Struct, frozen=True, kw_only=True):
    """What a member of the bundle must be, to the byte."""

    sha256: Sha256
    bytes: Count


class ExpectedScores(Struct, frozen=True, kw_only=True):
    """What one variant answers to the golden inputs.

    Attributes:
        file: ``.npy``, float32, under reference kernels: scores, shape ``[n, labels]``; for a
            detector the boxes of all samples, shape ``[boxes, 7]``, a row each: sample, label (both
            counted from 0), score, and ``x1, y1, x2, y2`` in pixels of the golden picture.
        bound: Largest absolute difference of a score a healthy device may show, measured by the
            converter over at least two sets of kernels.
        least_iou: Detectors, where it is needed: how much a healthy device's box must overlap the
            expected one, above 0.
    """

    file: MemberName
    bound: Annotated[float, Meta(ge=0.0, le=1.0)]
    least_iou: Score | None = None


class Variant(Struct, frozen=True, kw_only=True):
    """One form of the model, ready for one engine.

    Attributes:
        name: For example ``tflite-int8``.
        drop: How much ``metric`` lost against the float source; negative where it gained.
        agreement: Share of decisions at threshold that equal the float source's; where labels exclude
            each other, of first answers.
        max_abs_difference: Largest difference of a score to the float source.
        tensors: What this file calls the tensors that ``inputs`` and ``outputs`` name, where it
            calls them otherwise.
    """

    name: Name
    file: MemberName
    format: ModelFormat
    precision: Precision
    sha256: Sha256
    bytes: PositiveInt
    metric: Metric
    drop: float
    agreement: Annotated[float, Meta(ge=0.0, le=1.0)]
    max_abs_difference: Annotated[float, Meta(ge=0.0)]
    golden: ExpectedScores
    tensors: dict[str, str] = {}


class Stage(Struct, frozen=True, kw_only=True, rename={"source": "from"}):
    """One model run. Most bundles have one; a region-based detector has several.

    Attributes:
        name: Unique in the bundle.
        variants: Names of the variants that can do it, the converter's preference first.
        source: ``from`` in JSON: the input or the stage that feeds it.
    """

    name: Name
    variants: Annotated[list[Name], Meta(min_length=1)]
    source: str = "input"


class Golden(Struct, frozen=True, kw_only=True):
    """Raw inputs with known answers: a device that answers otherwise must not be believed.

    Attributes:
        inputs: ``.npy``: sound at the model's rate, float32, shape ``[n, window_samples]``, or
            pictures of another size than the model's, uint8, shape ``[n, height, width, 3]``, BGR;
            so that front end and preparation are under test too.
        expected: ``.npy``, float32: what the float source answers, in the form of
            :class:`ExpectedScores`.
        label_ids: The columns of both, so that swapped labels are found.
    """

    inputs: MemberName
    expected: MemberName
    label_ids: list[LabelId]


class SourceFile(Struct, frozen=True, kw_only=True):
    """A model or data set that went in, by content."""

    name: str
    sha256: Sha256
    n: PositiveInt = 1


class Provenance(Struct, frozen=True, kw_only=True):
    """Where the bundle comes from. No dates: same inputs, same bytes."""

    source_models: list[SourceFile]
    calibration: SourceFile | None = None
    evaluation: SourceFile
    libraries: dict[str, str]


class Manifest(Struct, frozen=True, kw_only=True):
    """``manifest.json`` of a bundle. See the module and the design for each part."""

    schema_version: str = SCHEMA_VERSION
    name: Name
    version: Version
    task: Literal["classify", "detect"]
    modality: Literal["audio", "image"]
    labels: Annotated[list[Label], Meta(min_length=1)]
    inputs: Annotated[list[Input], Meta(min_length=1, max_length=1)]
    stages: Annotated[list[Stage], Meta(min_length=1)]
    outputs: Annotated[list[Output], Meta(min_length=1, max_length=1)]
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
        if isinstance(first, ImageInput):
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
        names = ", ".join(variant.name for variant in self.variants)
        raise ManifestError(f"bundle {self.name} has no variant '{name}'", hint=f"it has: {names}")


class _VersionOnly(Struct):
    schema_version: str


def encode_manifest(manifest: Manifest) -> bytes:
    """The manifest as indented JSON, UTF-8; the same manifest gives the same bytes."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def decode_manifest(payload: bytes) -> Manifest:
    """Read and check a manifest.

    Raises:
        ManifestError: It is not JSON, of an unknown major version, lacks a field, or contradicts
            itself; the message names the field.
    """
    try:
        version = msgspec.json.decode(payload, type=_VersionOnly).schema_version
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ManifestError(f"the manifest cannot be read: {error}") from error
    if version.partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
        raise ManifestError(
            f"the manifest has schema version {version}; this edge-sdk reads {SCHEMA_VERSION}",
            hint="install the edge-sdk release that made the bundle, or convert the model again",
        )
    try:
        manifest = msgspec.json.decode(payload, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ManifestError(f"the manifest does not hold: {error}") from error
    check_manifest(manifest)
    return manifest

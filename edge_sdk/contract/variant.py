"""The forms of a model in a bundle, and what was measured of each."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from .golden import ExpectedScores
from .identifiers import Count, MemberName, Name, PositiveInt, Sha256

__all__ = ["BuildCheck", "BuildRefusal", "Metric", "ModelFormat", "Precision", "Stage", "Variant"]

ModelFormat: TypeAlias = Literal["tflite", "onnx"]
Precision: TypeAlias = Literal["float32", "float16", "dynamic", "int8", "mixed", "int16x8", "as_given"]


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


class BuildRefusal(Struct, frozen=True, kw_only=True):
    """One thing that an engine builder refuses of a model.

    Attributes:
        operator: Of the ONNX node; empty where the builder does not tell.
        node: Its name, likewise.
        reason: In the builder's words.
    """

    operator: str = ""
    node: str = ""
    reason: str


class BuildCheck(Struct, frozen=True, kw_only=True):
    """What an engine builder said of a variant on the converter's computer, where no engine of it is kept.

    Attributes:
        tool: What was asked: ``TensorRT-RTX``, which shares its parser with TensorRT and is another product.
        version: Its full version.
        passed: Whether it builds an engine.
        refusals: Why not.
    """

    tool: str
    version: str
    passed: bool
    refusals: list[BuildRefusal] = []


class Variant(Struct, frozen=True, kw_only=True):
    """One form of the model, ready for one engine.

    Attributes:
        name: For example ``tflite-int8``.
        drop: How much ``metric`` lost against the float source; negative where it gained.
        agreement: Share of windows or pictures in which every decision equals the float source's: of each
            label at threshold, or, where labels exclude each other, the first. Of a detector, share of
            boxes at threshold that both have.
        max_abs_difference: Largest difference of a score to the float source.
        tensors: What this file calls the tensors that ``inputs`` and ``outputs`` name, where it
            calls them otherwise.
        build_check: Whether an engine can be built of it; none where nobody tried.
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
    build_check: BuildCheck | None = None


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

"""What is known about each variant once all have been run."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge_sdk.contract.manifest import BuildCheck
from edge_sdk.contract.values import Float32Array

from ..report.kernel_figures import KernelFigures
from ..report.report_file import Latency
from .candidates import Candidate
from .trial import GoldenSamples, Tolerance
from .verdict import Judged, Verdict

__all__ = ["Proof", "Proven"]


@dataclass(frozen=True)
class Proven:
    """One variant that runs.

    Attributes:
        candidate: The variant.
        judged: Its figures on the evaluation set.
        verdict: What the gate says.
        answers: Its expected answers to the golden inputs.
        tolerance: How far another machine may be off.
        latency: Of one inference here.
        default_kernels: What this processor's own kernels make of it, where others judged it.
        build_check: What TensorRT-RTX said of it, where it was asked.
        warnings: Kernels that contradict its expected answers.
    """

    candidate: Candidate
    judged: Judged
    verdict: Verdict
    answers: Float32Array
    tolerance: Tolerance
    latency: Latency
    default_kernels: KernelFigures | None = None
    build_check: BuildCheck | None = None
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The variant's name."""
        return self.candidate.recipe.name

    @property
    def passed(self) -> bool:
        """Whether the gate lets it through."""
        return not self.verdict.refusal


@dataclass(frozen=True)
class Proof:
    """Everything that was found out.

    Attributes:
        source: Figures of the float source.
        golden: The golden samples.
        proven: Variants that run.
        left_out: Why each of the others does not.
        fusion_difference: Between a fused model and its two parts run in turn.
        warnings: What the float source's answers say about the spec.
        not_built: Why TensorRT-RTX was not asked about ONNX variants.
    """

    source: Judged
    golden: GoldenSamples
    proven: tuple[Proven, ...]
    left_out: dict[str, str] = field(default_factory=dict)
    fusion_difference: float | None = None
    warnings: tuple[str, ...] = ()
    not_built: str = ""

    @property
    def passed(self) -> tuple[Proven, ...]:
        """Variants for the bundle, in the order a device should prefer them.

        Those come first that answer as the float source does: with an agreement of at least 99.5 %, and
        no score far off, since a small evaluation set may not show what it flips. Among equals that
        order which usually is from fast to slow.
        """
        able = [item for item in self.proven if item.passed]
        return tuple(sorted(able, key=lambda item: (_strays(item.verdict), _rank(item.name))))


_AGREES = 0.995
_FAR_OFF = 0.1
_PREFERENCE = (
    "tflite-int8",
    "tflite-mixed",
    "tflite",
    "tflite-float32",
    "tflite-float16",
    "tflite-dynamic",
    "tflite-int16x8",
    "onnx",
    "onnx-float32",
    "onnx-float16",
    "onnx-int8",
    "onnx-mixed",
)


def _rank(name: str) -> int:
    return _PREFERENCE.index(name)


def _strays(verdict: Verdict) -> bool:
    return verdict.agreement < _AGREES or verdict.max_abs_difference > _FAR_OFF

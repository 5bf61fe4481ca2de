"""What this processor's own kernels make of a variant that others judged."""

from __future__ import annotations

from edge_sdk.contract.values import Float32Array

from ..report.kernel_figures import KernelFigures
from .candidates import Candidate
from .golden import SAFETY_FACTOR
from .kernels import saturates_here
from .trial import GoldenAnswer, GoldenSamples, Tolerance, Trial

__all__ = ["check_default_kernels"]


def check_default_kernels(
    item: Candidate, expected: Float32Array, tolerance: Tolerance, golden: GoldenSamples, trial: Trial
) -> KernelFigures | None:
    """Figures of the default kernels; None where they judged the variant, or do not run it.

    Args:
        item: The variant; its default kernels were run over the evaluation set.
        expected: Its answers to the golden samples.
        tolerance: How far a device may be off.
        golden: The golden samples.
        trial: What it is tried by.

    Raises:
        BackendError: The default kernels give no finite numbers.
    """
    if item.plain is None:
        return None
    answers = trial.answer_golden(item.plain, golden)
    needed = trial.tolerance(item.recipe.precision, [GoldenAnswer(expected), answers], golden)
    verdict = trial.answers.verdict(item.plain_name)
    return KernelFigures(
        drop=verdict.drop,
        agreement=verdict.agreement,
        max_abs_difference=verdict.max_abs_difference,
        golden_difference=needed.difference,
        verified=_within(needed, tolerance),
        saturates=item.kernels.is_quantized_onnx and saturates_here(),
    )


def _within(needed: Tolerance, given: Tolerance) -> bool:
    """Whether what was measured, which a tolerance is a multiple of, is within another tolerance."""
    boxes_fit = (
        needed.least_iou is None
        or given.least_iou is None
        or ((1 - needed.least_iou) / SAFETY_FACTOR <= 1 - given.least_iou)
    )
    return needed.difference <= given.bound and boxes_fit

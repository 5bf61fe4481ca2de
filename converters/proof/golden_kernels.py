"""Which kernels' answers to the golden samples are believed, where kernels contradict each other.

Kernels can be wrong. TFLite's own on x86, those without XNNPACK, add up the weights of a row in 16 bits:
in a dense layer of weights in int8 (`tflite-dynamic`) and more than some 16,000 inputs that can overflow, and
the same label comes out for every picture. A bound that admits such answers admits anything. So the
kernels that judged the variant over the evaluation set are believed, and of the others those that agree with
them as far as golden samples can tell.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from edge_sdk.contract.values import Float32Array
from edge_sdk.errors import BackendError

from ..quiet import quiet_libraries
from .candidates import Candidate
from .kernels import KernelSet
from .trial import GoldenAnswer, GoldenSamples, Tolerance, Trial

__all__ = ["GoldenAnswers", "golden_answers"]


@dataclass(frozen=True)
class GoldenAnswers:
    """What a variant answers to the golden samples.

    Attributes:
        expected: Under reference kernels, or where these are wrong under those that judged it.
        tolerance: How far a device may be off.
        warnings: Which kernels contradict the expected answers.
    """

    expected: Float32Array
    tolerance: Tolerance
    warnings: tuple[str, ...] = ()


def golden_answers(candidate: Candidate, samples: GoldenSamples, trial: Trial) -> GoldenAnswers:
    """Run the golden samples under several sets of kernels.

    Raises:
        BackendError: It does not run, gives no finite numbers, or no kernels agree with those that judged
            it, nor these with more threads.
    """
    answers = [
        (kernels, _answer(kernels, candidate, samples, trial)) for kernels in candidate.kernels.healthy()
    ]
    judging = candidate.kernels.judging(1)
    judged = next(given for kernels, given in answers if kernels == judging)

    def tolerance(given: list[GoldenAnswer]) -> Tolerance:
        return trial.tolerance(candidate.recipe.precision, given, samples)

    agreeing: list[GoldenAnswer] = []
    contradicting: dict[str, float] = {}
    for kernels, given in answers:
        needed = tolerance([judged, given])
        if needed.contradicted:
            contradicting.setdefault(kernels.name, needed.difference)
        else:
            agreeing.append(given)
    if len(agreeing) < 2:
        raise BackendError(
            f"nothing confirms its answers to the golden samples under {judging.name}: "
            f"{_differences(contradicting)}"
        )
    found = tolerance(agreeing)
    if found.contradicted:  # two that agree with the judging ones need not agree with each other
        agreeing = [judged, *(given for given in agreeing if given is not judged)]
        found = tolerance(agreeing)
    return GoldenAnswers(
        agreeing[0].given, found, tuple(_warnings(candidate.recipe.name, judging, contradicting))
    )


def _answer(kernels: KernelSet, candidate: Candidate, samples: GoldenSamples, trial: Trial) -> GoldenAnswer:
    with quiet_libraries(), kernels.open(candidate.recipe.name) as backend:
        return trial.answer_golden(backend, samples)


def _warnings(variant: str, judging: KernelSet, contradicting: dict[str, float]) -> Iterable[str]:
    if contradicting:
        yield (
            f"{variant}: kernels contradict those that judged it ({judging.name}) on golden samples: "
            f"{_differences(contradicting)}; a device that runs it with these fails `edge-sdk verify`"
        )


def _differences(contradicting: dict[str, float]) -> str:
    return ", ".join(f"{name} are off by {difference:.3f}" for name, difference in contradicting.items())

"""The work between checked inputs and a report: build, run, compare and time every variant."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from edge_sdk.console.progress import Progress
from edge_sdk.contract.manifest import BuildCheck, ClassesOutput
from edge_sdk.contract.values import Array
from edge_sdk.errors import BackendError
from edge_sdk.inference.backend import Backend

from ..preflight.preflight import Preflight, is_installed
from ..request import Request
from ..sources.source_model import SourceModel
from ..spec.conversion_spec import ConversionSpec
from ..variants.kept_samples import Remembered
from ..variants.made import Materials
from ..variants.recipes import Recipe, planned_variants
from .candidates import Candidate, build_candidates, time_candidate
from .golden_kernels import golden_answers
from .kernel_check import check_default_kernels
from .proven import Proof, Proven
from .trial import GoldenSamples, Trial
from .verdict import SOURCE

__all__ = ["Checked", "prove"]


@dataclass(frozen=True)
class Checked:
    """Everything a conversion starts from, checked.

    Attributes:
        request: What was asked.
        spec: How the model is fed and read.
        source: The opened model.
        trial: What depends on the kind of model, with the data sets.
    """

    request: Request
    spec: ConversionSpec
    source: SourceModel
    trial: Trial


def prove(
    checked: Checked, asked: tuple[str, ...], finish: contextlib.ExitStack, progress: Progress
) -> Proof:
    """Build, run and judge every variant that was asked for.

    Raises:
        SpecError: What the model answers contradicts the spec.
        DatasetError: Calibration does not cover what is judged.
        ModelError: A fused model is not its two parts.
        BackendError: The float source itself fails.
    """
    trial = checked.trial
    tensors = trial.first_tensors()
    warnings = trial.check_source(tensors, progress)
    fusion_difference = _check_fusion(checked.source, tensors)
    recipes, left_out = _plan(checked, asked)
    if any(recipe.needs_calibration for recipe in recipes):
        warnings += trial.check_calibration()
    candidates, failed_builds = _build(checked, recipes, tensors, finish, progress)
    left_out |= failed_builds
    preflight = _preflight(candidates, finish)
    failed = _run(checked, candidates, progress)
    left_out |= failed
    golden = trial.choose_golden()
    checks, not_built = preflight()
    proven: list[Proven] = []
    for item in progress.track([item for item in candidates if item.recipe.name not in failed], "proving"):
        tried = _try_proof(item, golden, trial)
        if isinstance(tried, Proven):
            proven.append(replace(tried, build_check=checks.get(item.recipe.name)))
        else:
            left_out[item.recipe.name] = tried
    return Proof(
        source=trial.answers.figures(SOURCE),
        golden=golden,
        proven=tuple(proven),
        left_out=left_out,
        fusion_difference=fusion_difference,
        warnings=tuple(warnings),
        not_built=not_built,
    )


def _run(checked: Checked, candidates: Sequence[Candidate], progress: Progress) -> dict[str, str]:
    """Run all models over the evaluation set; gives why some variants broke."""
    models: dict[str, Backend] = {SOURCE: checked.source.backend}
    of_variant: dict[str, str] = {}
    for item in candidates:
        models[item.recipe.name] = item.backend
        of_variant[item.recipe.name] = item.recipe.name
        if item.plain is not None:
            models[item.plain_name] = item.plain
            of_variant[item.plain_name] = item.recipe.name
    failed = checked.trial.run(models, progress)
    if SOURCE in failed:
        raise failed[SOURCE]
    return {of_variant[name]: error.message for name, error in failed.items()}


def _preflight(
    candidates: Sequence[Candidate], finish: contextlib.ExitStack
) -> Callable[[], tuple[dict[str, BuildCheck], str]]:
    """Have TensorRT-RTX build every ONNX while other work goes on; what is returned waits for it."""
    models = [item for item in candidates if item.recipe.format == "onnx"]
    if not models or not is_installed():
        reason = "it is not installed (pip install './edge-sdk[tensorrt-rtx]')" if models else ""
        return lambda: ({}, reason)
    preflight = finish.enter_context(Preflight())
    for item in models:
        preflight.ask(item.recipe.name, item.content)
    return preflight.results


def _plan(checked: Checked, asked: tuple[str, ...]) -> tuple[list[Recipe], dict[str, str]]:
    """What can be tried, and why the rest cannot."""
    recipes, left_out = planned_variants(checked.source, asked)
    if checked.trial.case.calibration is not None:
        return recipes, left_out
    reason = f"no calibration {checked.trial.nouns.many} were given"
    without = {recipe.name: reason for recipe in recipes if recipe.needs_calibration}
    return [recipe for recipe in recipes if not recipe.needs_calibration], left_out | without


def _build(
    checked: Checked,
    recipes: list[Recipe],
    tensors: Sequence[Array],
    finish: contextlib.ExitStack,
    progress: Progress,
) -> tuple[list[Candidate], dict[str, str]]:
    trial = checked.trial
    integer = any(recipe.needs_calibration for recipe in recipes)
    calibration = Remembered(trial.calibration(progress)) if integer else None
    heads_in_float = not isinstance(trial.output, ClassesOutput)
    materials = Materials(
        checked.source,
        calibration,
        tensors,
        progress,
        heads_in_float=heads_in_float,
        modelopt_python=checked.request.modelopt_python,
    )
    return build_candidates(recipes, checked.spec, materials, trial, checked.request.threads, finish)


def _try_proof(item: Candidate, golden: GoldenSamples, trial: Trial) -> Proven | str:
    """What is known about a variant, or why it was left out after all."""
    name = item.recipe.name
    try:
        answers = golden_answers(item, golden, trial)
        default_kernels = check_default_kernels(item, answers.expected, answers.tolerance, golden, trial)
        latency = time_candidate(item, golden, trial)
    except BackendError as error:
        return error.message
    return Proven(
        candidate=item,
        judged=trial.answers.figures(name),
        verdict=trial.answers.verdict(name),
        answers=answers.expected,
        tolerance=answers.tolerance,
        latency=latency,
        default_kernels=default_kernels,
        warnings=answers.warnings,
    )


def _check_fusion(source: SourceModel, tensors: Sequence[Array]) -> float | None:
    if not source.parts:
        return None
    from ..sources.fuse import check_fusion

    return check_fusion(source.name, source.run, source.run_in_turn, tensors)

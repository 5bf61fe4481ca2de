"""The work between checked inputs and a report: build, run, compare and time every variant."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import numpy as np

from edge_sdk.console.progress import Progress
from edge_sdk.contract.values import Float32Array
from edge_sdk.errors import BackendError
from edge_sdk.inference.scorer import AudioScorer

from ..data.clip_windows import clip_windows
from ..data.dataset import Dataset
from ..request import Request
from ..sources.model_check import check_score_range
from ..sources.source_model import SourceModel
from ..spec.spec_file import ConversionSpec
from ..variants.calibration import calibration_tensors, check_coverage
from ..variants.made import Calibration
from ..variants.recipes import planned_variants
from .candidates import Candidate, ModelUse, build_candidates, time_candidate, try_golden
from .golden import GoldenSamples, choose_places, read_golden
from .judge import Judge
from .proven import Proof, Proven
from .scoring import Scores, score_dataset

__all__ = ["Checked", "prove"]

_SOURCE = "float source"
_FUSION_CLIPS = 8


@dataclass(frozen=True)
class Checked:
    """Everything a conversion starts from, checked.

    Attributes:
        request: What was asked.
        spec: How the model is fed and read.
        use: The same in the manifest's terms.
        source: The opened model.
        calibration: Recordings for integer variants, if any were given.
        evaluation: Recordings that judge.
    """

    request: Request
    spec: ConversionSpec
    use: ModelUse
    source: SourceModel
    calibration: Dataset | None
    evaluation: Dataset


def prove(
    checked: Checked, asked: tuple[str, ...], finish: contextlib.ExitStack, progress: Progress
) -> Proof:
    """Build, run and judge every variant that was asked for.

    Raises:
        SpecError: The model's outputs are no scores.
        DatasetError: Calibration does not cover what is judged.
        ModelError: A fused model is not its two parts.
        BackendError: The float source itself fails.
    """
    source = checked.use.scorer(checked.source.backend)
    samples = _first_windows(source, checked.calibration or checked.evaluation)
    check_score_range(checked.spec, checked.source, samples)
    fusion_difference = _check_fusion(checked, samples)
    candidates, left_out = _build(checked, asked, finish, progress)
    scorers = {_SOURCE: source} | {item.recipe.name: checked.use.scorer(item.backend) for item in candidates}
    scores, failed = score_dataset(checked.evaluation, scorers, progress, "evaluating")
    if _SOURCE in failed:
        raise failed[_SOURCE]
    left_out |= {name: error.message for name, error in failed.items()}
    thresholds = {label_id: rule.threshold for label_id, rule in checked.spec.rules.items()}
    places = choose_places(checked.evaluation, scores[_SOURCE], thresholds)
    golden = read_golden(checked.evaluation, places, source)
    judge = Judge(checked.spec, checked.evaluation, checked.request.max_drop)
    proven: list[Proven] = []
    for item in progress.track([item for item in candidates if item.recipe.name in scores], "proving"):
        tried = _try_proof(item, scores, golden, judge, checked.use)
        if isinstance(tried, Proven):
            proven.append(tried)
        else:
            left_out[item.recipe.name] = tried
    return Proof(
        source_scores=scores[_SOURCE],
        source_metric=judge.metric(scores[_SOURCE]),
        source_labels=judge.labels(scores[_SOURCE]),
        golden=golden,
        proven=tuple(proven),
        left_out=left_out,
        fusion_difference=fusion_difference,
    )


def _build(
    checked: Checked, asked: tuple[str, ...], finish: contextlib.ExitStack, progress: Progress
) -> tuple[list[Candidate], dict[str, str]]:
    recipes, left_out = planned_variants(checked.source, asked)
    integer = [recipe for recipe in recipes if recipe.needs_calibration]
    calibration: Calibration | None = None
    if integer and checked.calibration is None:
        left_out |= {recipe.name: "no calibration recordings were given" for recipe in integer}
        recipes = [recipe for recipe in recipes if not recipe.needs_calibration]
    elif integer and checked.calibration is not None:
        check_coverage(checked.calibration, checked.evaluation)
        front_end = checked.use.scorer(checked.source.backend)
        calibration = calibration_tensors(checked.calibration, front_end, checked.source.batch, progress)
    candidates, failed = build_candidates(
        recipes, checked.spec, checked.source, calibration, checked.use, finish, progress
    )
    return candidates, left_out | failed


def _try_proof(
    item: Candidate, scores: dict[str, Scores], golden: GoldenSamples, judge: Judge, use: ModelUse
) -> Proven | str:
    """What is known about a variant, or why it was left out after all."""
    own = scores[item.recipe.name]
    try:
        answers, bound = try_golden(item, golden, use)
        latency = time_candidate(item, golden, use)
    except BackendError as error:
        return error.message
    return Proven(
        candidate=item,
        metric=judge.metric(own),
        labels=judge.labels(own),
        verdict=judge.judge(scores[_SOURCE], own),
        answers=answers,
        bound=bound,
        latency=latency,
    )


def _first_windows(front_end: AudioScorer, dataset: Dataset) -> list[Float32Array]:
    """The tensor of the first window of a few recordings, spread over the set."""
    step = max(1, len(dataset.clips) // _FUSION_CLIPS)
    windows = [next(clip_windows(front_end, clip)) for clip in dataset.clips[::step][:_FUSION_CLIPS]]
    return [np.array(window.features, copy=True) for window in windows]


def _check_fusion(checked: Checked, samples: list[Float32Array]) -> float | None:
    source = checked.source
    if not source.parts:
        return None
    from ..sources.fuse import check_fusion

    batches = [source.batch(tensor) for tensor in samples]
    return check_fusion(source.name, source.run, source.run_in_turn, batches)

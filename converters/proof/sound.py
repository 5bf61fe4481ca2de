"""The trial of a model that listens: every window scored, every recording judged by its best window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from edge_sdk.console.progress import Progress
from edge_sdk.contract.manifest import AudioInput, ClassesOutput, Precision
from edge_sdk.contract.values import Array
from edge_sdk.errors import BackendError
from edge_sdk.inference.backend import Backend
from edge_sdk.inference.scorer import AudioScorer

from ..data.clip_windows import clip_windows
from ..data.coverage import check_coverage
from ..data.dataset import Dataset
from ..data.nouns import RECORDINGS
from ..report.report_file import EvaluationSummary
from ..sources.model_check import check_score_range
from ..variants.calibration import calibration_tensors
from ..variants.made import Calibration
from .answers import Answers
from .case import Case, manifest_part
from .evidence import classifier_evidence
from .golden import choose_places, measured_tolerance, read_golden
from .judge import ClassJudge
from .scoring import Scores, score_dataset
from .spread_check import check_spread
from .trial import GoldenAnswer, GoldenSamples, Tolerance
from .verdict import SOURCE

__all__ = ["SoundTrial"]

_FIRST_CLIPS = 8
_SECONDS_AN_HOUR = 3600.0


class SoundTrial:
    """See :class:`.trial.Trial`.

    Args:
        case: A model that listens, and recordings.

    Raises:
        DatasetError: Labels exclude each other, and a recording has several.
    """

    nouns = RECORDINGS

    def __init__(self, case: Case[Dataset]) -> None:
        spec = case.spec
        self.case = case
        self.input: AudioInput = manifest_part(case.source, spec.audio)
        self.output: ClassesOutput = manifest_part(case.source, spec.classes)
        self.answers: Answers[Scores] = Answers(ClassJudge(spec, case.evaluation, case.max_drop))

    def first_tensors(self) -> list[Array]:
        """The first window of a few recordings, spread over the set: see :class:`.trial.Trial`."""
        clips = self.case.tried_first.clips
        step = max(1, len(clips) // _FIRST_CLIPS)
        source = self.case.source
        front_end = self._scorer(source.backend)
        windows = [next(clip_windows(front_end, clip)) for clip in clips[::step][:_FIRST_CLIPS]]
        return [np.array(source.batch(window.features), copy=True) for window in windows]

    def check_source(self, tensors: Sequence[Array], progress: Progress) -> list[str]:  # noqa: ARG002  (quick)
        """See :class:`.trial.Trial`."""
        check_score_range(self.case.spec, self.case.source, tensors)
        return check_spread(self.case, tensors)

    def check_calibration(self) -> list[str]:
        """See :class:`.trial.Trial`."""
        return check_coverage(self.case.required_calibration, self.case.evaluation, self.nouns)

    def calibration(self, progress: Progress) -> Calibration:
        """See :class:`.trial.Trial`."""
        source = self.case.source
        front_end = self._scorer(source.backend)
        return calibration_tensors(self.case.required_calibration, front_end, source.batch, progress)

    def try_once(self, backend: Backend) -> None:
        """See :class:`.trial.Trial`."""
        self._scorer(backend).score_window(np.zeros(self.input.window_samples, dtype=np.float32))

    def run(self, models: Mapping[str, Backend], progress: Progress) -> dict[str, BackendError]:
        """See :class:`.trial.Trial`."""
        scorers = {name: self._scorer(backend) for name, backend in models.items()}
        scores, failed = score_dataset(self.case.evaluation, scorers, progress, "evaluating")
        self.answers.keep(scores)
        return failed

    def choose_golden(self) -> GoldenSamples:
        """See :class:`.trial.Trial`."""
        evaluation = self.case.evaluation
        places = choose_places(evaluation, self.answers.source, self.case.spec.thresholds)
        return read_golden(evaluation, places, self._scorer(self.case.source.backend))

    def answer_golden(self, backend: Backend, samples: GoldenSamples) -> GoldenAnswer:
        """See :class:`.trial.Trial`."""
        scorer = self._scorer(backend)
        return GoldenAnswer(np.stack([scorer.score_window(window) for window in samples.inputs]))

    def tolerance(
        self,
        precision: Precision,
        answers: Sequence[GoldenAnswer],
        samples: GoldenSamples,  # noqa: ARG002  (scores need none)
    ) -> Tolerance:
        """See :class:`.trial.Trial`."""
        return measured_tolerance(precision, [answer.given for answer in answers])

    def timed_tensor(self, backend: Backend, samples: GoldenSamples) -> Array:
        """See :class:`.trial.Trial`."""
        return self._scorer(backend).tensor_for_window(samples.inputs[0])

    def summary(self) -> EvaluationSummary:
        """See :class:`.trial.Trial`."""
        evaluation = self.case.evaluation
        counts = dict(zip(evaluation.label_ids, evaluation.truth.sum(axis=0).tolist(), strict=True))
        return EvaluationSummary(
            clips=len(evaluation.clips),
            windows=len(self.answers.source.places),
            hours=round(sum(clip.duration_s for clip in evaluation.clips) / _SECONDS_AN_HOUR, 4),
            clips_by_label={label_id: n for label_id, n in counts.items() if n},
            background_clips=int((~evaluation.truth.any(axis=1)).sum()),
            labels_without_clips=[label_id for label_id, n in counts.items() if not n],
        )

    def warnings(self, samples: GoldenSamples, bound: float) -> list[str]:
        """See :class:`.trial.Trial`."""
        found = self.answers.figures(SOURCE).labels
        return classifier_evidence(self.case, found, self.nouns, samples.expected, bound)

    def _scorer(self, backend: Backend) -> AudioScorer:
        """A scorer as a device has it."""
        return AudioScorer(self.input, self.output, self.case.spec.label_ids, backend)

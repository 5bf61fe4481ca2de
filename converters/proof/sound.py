"""The trial of a model that listens: every window scored, every recording judged by its best window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import structs

from edge_sdk.console.progress import Progress
from edge_sdk.contract.manifest import AudioInput, ClassesOutput, Precision
from edge_sdk.contract.values import Array, Float32Array
from edge_sdk.errors import BackendError
from edge_sdk.inference.backend import Backend
from edge_sdk.inference.scorer import AudioScorer

from ..data.clip_windows import clip_windows
from ..data.dataset import Dataset
from ..data.nouns import RECORDINGS
from ..report.report_file import EvaluationSummary
from ..sources.model_check import check_score_range
from ..sources.source_model import SourceModel
from ..spec.spec_file import ConversionSpec
from ..variants.calibration import calibration_tensors, check_coverage
from ..variants.made import Calibration
from .evidence import blind_golden, never_recognised, no_background, thin_evidence
from .golden import choose_places, measured_bound, read_golden
from .judge import Judge
from .scoring import Scores, score_dataset
from .trial import SOURCE, GoldenSamples, Judged, Tolerance, Verdict

__all__ = ["SoundTrial"]

_FIRST_CLIPS = 8
_SECONDS_AN_HOUR = 3600.0


class SoundTrial:
    """See :class:`.trial.Trial`.

    Args:
        spec: How the model is fed and read.
        source: The trained model.
        calibration: Recordings for integer variants, if any were given.
        evaluation: Recordings that judge.
        max_drop: How much the metric may lose.
    """

    nouns = RECORDINGS

    def __init__(
        self,
        spec: ConversionSpec,
        source: SourceModel,
        calibration: Dataset | None,
        evaluation: Dataset,
        max_drop: float,
    ) -> None:
        self._spec = spec
        self._source = source
        self.calibration_set = calibration
        self.evaluation_set = evaluation
        made = source.traced is not None  # then tensors have the source's names, and there is one of each
        self.input: AudioInput = structs.replace(spec.audio, name="") if made else spec.audio
        self.output: ClassesOutput = structs.replace(spec.classes, name="") if made else spec.classes
        self._judge = Judge(spec, evaluation, max_drop)
        self._scores: dict[str, Scores] = {}

    def first_tensors(self) -> list[Array]:
        """The first window of a few recordings, spread over the set: see :class:`.trial.Trial`."""
        clips = (self.calibration_set or self.evaluation_set).clips
        step = max(1, len(clips) // _FIRST_CLIPS)
        front_end = self._scorer(self._source.backend)
        windows = [next(clip_windows(front_end, clip)) for clip in clips[::step][:_FIRST_CLIPS]]
        return [np.array(self._source.batch(window.features), copy=True) for window in windows]

    def check_source(self, tensors: Sequence[Array], progress: Progress) -> list[str]:  # noqa: ARG002  (quick)
        """See :class:`.trial.Trial`."""
        check_score_range(self._spec, self._source, tensors)
        return []

    def calibration(self, progress: Progress) -> Calibration:
        """See :class:`.trial.Trial`."""
        calibration = self.calibration_set or self.evaluation_set
        check_coverage(calibration, self.evaluation_set)
        front_end = self._scorer(self._source.backend)
        return calibration_tensors(calibration, front_end, self._source.batch, progress)

    def try_once(self, backend: Backend) -> None:
        """See :class:`.trial.Trial`."""
        self._scorer(backend).score_window(np.zeros(self.input.window_samples, dtype=np.float32))

    def run(self, models: Mapping[str, Backend], progress: Progress) -> dict[str, BackendError]:
        """See :class:`.trial.Trial`."""
        scorers = {name: self._scorer(backend) for name, backend in models.items()}
        self._scores, failed = score_dataset(self.evaluation_set, scorers, progress, "evaluating")
        return failed

    def figures(self, name: str) -> Judged:
        """See :class:`.trial.Trial`."""
        scores = self._scores[name]
        return Judged(self._judge.metric(scores), self._judge.labels(scores))

    def judge(self, name: str) -> Verdict:
        """See :class:`.trial.Trial`."""
        return self._judge.judge(self._scores[SOURCE], self._scores[name])

    def choose_golden(self) -> GoldenSamples:
        """See :class:`.trial.Trial`."""
        places = choose_places(self.evaluation_set, self._scores[SOURCE], self._spec.thresholds)
        return read_golden(self.evaluation_set, places, self._scorer(self._source.backend))

    def answer_golden(self, backend: Backend, samples: GoldenSamples) -> Float32Array:
        """See :class:`.trial.Trial`."""
        scorer = self._scorer(backend)
        return np.stack([scorer.score_window(window) for window in samples.inputs])

    def tolerance(
        self,
        precision: Precision,
        answers: Sequence[Float32Array],
        samples: GoldenSamples,  # noqa: ARG002  (scores need none)
    ) -> Tolerance:
        """See :class:`.trial.Trial`."""
        return Tolerance(measured_bound(precision, answers))

    def timed_tensor(self, backend: Backend, samples: GoldenSamples) -> Array:
        """See :class:`.trial.Trial`."""
        return self._scorer(backend).tensor_for_window(samples.inputs[0])

    def summary(self) -> EvaluationSummary:
        """See :class:`.trial.Trial`."""
        evaluation = self.evaluation_set
        counts = dict(zip(evaluation.label_ids, evaluation.truth.sum(axis=0).tolist(), strict=True))
        return EvaluationSummary(
            clips=len(evaluation.clips),
            windows=len(self._scores[SOURCE].places),
            hours=round(sum(clip.duration_s for clip in evaluation.clips) / _SECONDS_AN_HOUR, 4),
            clips_by_label={label_id: n for label_id, n in counts.items() if n},
            background_clips=int((~evaluation.truth.any(axis=1)).sum()),
            labels_without_clips=[label_id for label_id, n in counts.items() if not n],
        )

    def warnings(self, samples: GoldenSamples, bound: float) -> list[str]:
        """See :class:`.trial.Trial`."""
        evaluation = self.evaluation_set
        return [
            *never_recognised(self.figures(SOURCE).labels, self.nouns),
            *thin_evidence(evaluation, self._spec.rules, self.nouns),
            *([] if self._spec.classes.exclusive else no_background(evaluation)),
            *blind_golden(evaluation, samples.expected, bound),
        ]

    def _scorer(self, backend: Backend) -> AudioScorer:
        """A scorer as a device has it."""
        return AudioScorer(self.input, self.output, self._spec.label_ids, backend)

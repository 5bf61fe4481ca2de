"""The trial of a picture classifier: one score a label for the whole picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from edge_sdk.console.progress import Progress
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.manifest import ClassesOutput, Precision
from edge_sdk.contract.values import Array, Float32Array
from edge_sdk.errors import BackendError
from edge_sdk.inference.backend import Backend
from edge_sdk.inference.image_classifier import ImageClassifier
from edge_sdk.metrics.classification import decide

from ..data.coverage import check_coverage
from ..data.nouns import PICTURES
from ..data.picture_set import Picture, PictureSet
from ..report.report_file import PictureSummary
from ..sources.model_check import check_score_range
from ..variants.made import Calibration
from .answers import Answers
from .case import Case, manifest_part
from .evidence import classifier_evidence
from .golden import choose_places, measured_tolerance
from .golden_pictures import FEWEST_PICTURES, MOST_PICTURES
from .judge import ClassJudge
from .picture_run import ask_all, ask_golden, blank_picture, calibration_pictures, first_pictures
from .picture_summary import picture_summary
from .preparation_check import Preparations, check_preparation
from .scoring import Scores
from .spread_check import check_spread
from .trial import GoldenAnswer, GoldenSamples, Tolerance
from .verdict import SOURCE
from .weighing import Weighed

__all__ = ["PictureClassesTrial"]

_ROUNDING = 1e-5


class PictureClassesTrial:
    """See :class:`.trial.Trial`.

    Args:
        case: A model that looks at pictures, and labelled pictures.

    Raises:
        DatasetError: Labels exclude each other, and a picture has several.
    """

    nouns = PICTURES

    def __init__(self, case: Case[PictureSet]) -> None:
        spec = case.spec
        self.case = case
        self.input: ImageInput = manifest_part(case.source, spec.image)
        self.output: ClassesOutput = manifest_part(case.source, spec.classes)
        self.answers: Answers[Scores] = Answers(ClassJudge(spec, case.evaluation, case.max_drop))

    def first_tensors(self) -> list[Array]:
        """See :class:`.trial.Trial`."""
        return first_pictures(self.case, self._source().tensor_for)

    def check_source(self, tensors: Sequence[Array], progress: Progress) -> list[str]:
        """See :class:`.trial.Trial`."""
        check_score_range(self.case.spec, self.case.source, tensors)
        kind = Preparations(ask=lambda image: self._source(image).score, weigh=self._weigh, figure="accuracy")
        spread = check_spread(self.case, tensors)
        return [*spread, *check_preparation(self.input, self.case, kind, progress)]

    def check_calibration(self) -> list[str]:
        """See :class:`.trial.Trial`."""
        return check_coverage(self.case.required_calibration, self.case.evaluation, self.nouns)

    def calibration(self, progress: Progress) -> Calibration:
        """See :class:`.trial.Trial`."""
        return calibration_pictures(self.case.required_calibration, self._source().tensor_for, progress)

    def try_once(self, backend: Backend) -> None:
        """See :class:`.trial.Trial`."""
        self._classifier(backend).score(blank_picture(self.input))

    def run(self, models: Mapping[str, Backend], progress: Progress) -> dict[str, BackendError]:
        """See :class:`.trial.Trial`."""
        asked = {name: self._classifier(backend).score for name, backend in models.items()}
        answers, failed = ask_all(self.case.evaluation.samples, asked, progress, "evaluating")
        self.answers.keep({name: Scores.of_pictures(given) for name, given in answers.items()})
        return failed

    def choose_golden(self) -> GoldenSamples:
        """See :class:`.trial.Trial`."""
        evaluation = self.case.evaluation
        places = choose_places(
            evaluation,
            self.answers.source,
            self.case.spec.thresholds,
            fewest=FEWEST_PICTURES,
            most=MOST_PICTURES,
        )
        chosen = [evaluation.samples[place.sample] for place in places]
        return ask_golden(chosen, self.input, self._source().score, np.stack)

    def answer_golden(self, backend: Backend, samples: GoldenSamples) -> GoldenAnswer:
        """See :class:`.trial.Trial`."""
        classifier = self._classifier(backend)
        return GoldenAnswer(np.stack([classifier.score(pixels) for pixels in samples.inputs]))

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
        return self._classifier(backend).tensor_for(samples.inputs[0])

    def summary(self) -> PictureSummary:
        """See :class:`.trial.Trial`."""
        return picture_summary(self.case.evaluation)

    def warnings(self, samples: GoldenSamples, bound: float) -> list[str]:
        """See :class:`.trial.Trial`."""
        found = self.answers.figures(SOURCE).labels
        return classifier_evidence(self.case, found, self.nouns, samples.expected, bound)

    def _weigh(self, pictures: Sequence[Picture], answers: Sequence[Float32Array]) -> Weighed:
        spec, scores = self.case.spec, np.stack(answers)
        truth = PictureSet(self.case.evaluation.root, spec.label_ids, tuple(pictures)).truth
        decided = decide(scores, spec.thresholds, spec.label_ids, exclusive=self.output.exclusive)
        right = (decided == truth).all(axis=1)
        of_truth = np.where(truth, scores, 0).sum(axis=1) / truth.sum(axis=1)
        limits = np.array([spec.thresholds.get(label_id, 0.5) for label_id in spec.label_ids])
        is_whole = (scores < _ROUNDING) | (scores > 1 - _ROUNDING)
        return Weighed(
            right,
            of_truth.astype(np.float32),
            float(right.mean()),
            reached=right & (~truth | (scores >= limits)).all(axis=1),
            saturated=np.asarray(is_whole.all(axis=1)),
        )

    def _source(self, image: ImageInput | None = None) -> ImageClassifier:
        """The trained model itself; or one whose pictures are prepared otherwise."""
        return self._classifier(self.case.source.backend, image)

    def _classifier(self, backend: Backend, image: ImageInput | None = None) -> ImageClassifier:
        """A classifier as a device has it."""
        return ImageClassifier(image or self.input, self.output, self.case.spec.label_ids, backend)

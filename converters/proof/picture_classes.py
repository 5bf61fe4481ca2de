"""The trial of a picture classifier: one score a label for the whole picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import structs

from edge_sdk.console.progress import Progress
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.manifest import ClassesOutput, Metric, Precision
from edge_sdk.contract.values import Array, Float32Array
from edge_sdk.errors import BackendError
from edge_sdk.image.picture_file import read_picture
from edge_sdk.inference.backend import Backend
from edge_sdk.inference.image_classifier import ImageClassifier
from edge_sdk.metrics.classification import Share, decide

from ..data.nouns import PICTURES
from ..data.picture_set import Picture, PictureSet
from ..report.report_file import PictureSummary
from ..sources.model_check import check_score_range
from ..sources.source_model import SourceModel
from ..spec.spec_file import ConversionSpec
from ..variants.calibration import check_coverage
from ..variants.made import Calibration
from .evidence import blind_golden, never_recognised, no_background, thin_evidence
from .golden import choose_places, measured_bound
from .golden_pictures import FEWEST_PICTURES, MOST_PICTURES, golden_pictures, golden_size
from .judge import Judge
from .picture_run import ask_all, calibration_pictures, spread
from .preparation_check import Preparations, Weighed, check_preparation
from .scoring import Scores, WindowPlace
from .trial import SOURCE, GoldenSamples, Judged, Tolerance, Verdict

__all__ = ["PictureClassesTrial", "picture_scores", "picture_summary", "top5"]

_FIRST_PICTURES = 8
_TOP = 5


class PictureClassesTrial:
    """See :class:`.trial.Trial`.

    Args:
        spec: How the model is fed and read.
        source: The trained model.
        calibration: Pictures for integer variants, if any were given.
        evaluation: Pictures that judge.
        max_drop: How much the metric may lose.
    """

    nouns = PICTURES

    def __init__(
        self,
        spec: ConversionSpec,
        source: SourceModel,
        calibration: PictureSet | None,
        evaluation: PictureSet,
        max_drop: float,
    ) -> None:
        self._spec = spec
        self._source = source
        self.calibration_set = calibration
        self.evaluation_set = evaluation
        made = source.traced is not None  # then tensors have the source's names, and there is one of each
        self.input: ImageInput = structs.replace(spec.image, name="") if made else spec.image
        self.output: ClassesOutput = structs.replace(spec.classes, name="") if made else spec.classes
        self._judge = Judge(spec, evaluation, max_drop)
        self._scores: dict[str, Scores] = {}

    def first_tensors(self) -> list[Array]:
        """See :class:`.trial.Trial`."""
        pictures = (self.calibration_set or self.evaluation_set).samples
        tensor_for = self._classifier(self._source.backend).tensor_for
        return [tensor_for(read_picture(picture.path)) for picture in spread(pictures, _FIRST_PICTURES)]

    def check_source(self, tensors: Sequence[Array], progress: Progress) -> list[str]:
        """See :class:`.trial.Trial`."""
        check_score_range(self._spec, self._source, tensors)
        evaluation = self.evaluation_set
        labelled = [picture for picture in evaluation.samples if picture.labels]
        kind = Preparations(
            ask=lambda image: self._classifier(self._source.backend, image).score,
            weigh=self._weigh,
            figure="accuracy",
        )
        scales = self._source.input.dtype == "float32"
        return check_preparation(self.input, labelled, kind, progress, scales=scales)

    def calibration(self, progress: Progress) -> Calibration:
        """See :class:`.trial.Trial`."""
        calibration = self.calibration_set or self.evaluation_set
        check_coverage(calibration, self.evaluation_set, self.nouns)
        tensor_for = self._classifier(self._source.backend).tensor_for
        return calibration_pictures(calibration, tensor_for, progress)

    def try_once(self, backend: Backend) -> None:
        """See :class:`.trial.Trial`."""
        self._classifier(backend).score(np.zeros((*golden_size(self.input), 3), dtype=np.uint8))

    def run(self, models: Mapping[str, Backend], progress: Progress) -> dict[str, BackendError]:
        """See :class:`.trial.Trial`."""
        asked = {name: self._classifier(backend).score for name, backend in models.items()}
        answers, failed = ask_all(self.evaluation_set.samples, asked, progress, "evaluating")
        self._scores = {name: picture_scores(given) for name, given in answers.items()}
        return failed

    def figures(self, name: str) -> Judged:
        """See :class:`.trial.Trial`."""
        scores = self._scores[name]
        more = top5(self.evaluation_set, scores.clips) if self.output.exclusive else []
        return Judged(self._judge.metric(scores), self._judge.labels(scores), more)

    def judge(self, name: str) -> Verdict:
        """See :class:`.trial.Trial`."""
        return self._judge.judge(self._scores[SOURCE], self._scores[name])

    def choose_golden(self) -> GoldenSamples:
        """See :class:`.trial.Trial`."""
        places = choose_places(
            self.evaluation_set,
            self._scores[SOURCE],
            self._spec.thresholds,
            fewest=FEWEST_PICTURES,
            most=MOST_PICTURES,
        )
        chosen = [self.evaluation_set.samples[place.clip] for place in places]
        inputs = golden_pictures(chosen, self.input)
        classifier = self._classifier(self._source.backend)
        return GoldenSamples(
            inputs=inputs,
            expected=np.stack([classifier.score(pixels) for pixels in inputs]),
            names=tuple(picture.name for picture in chosen),
        )

    def answer_golden(self, backend: Backend, samples: GoldenSamples) -> Float32Array:
        """See :class:`.trial.Trial`."""
        classifier = self._classifier(backend)
        return np.stack([classifier.score(pixels) for pixels in samples.inputs])

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
        return self._classifier(backend).tensor_for(samples.inputs[0])

    def summary(self) -> PictureSummary:
        """See :class:`.trial.Trial`."""
        return picture_summary(self.evaluation_set)

    def warnings(self, samples: GoldenSamples, bound: float) -> list[str]:
        """See :class:`.trial.Trial`."""
        evaluation = self.evaluation_set
        return [
            *never_recognised(self.figures(SOURCE).labels, self.nouns),
            *thin_evidence(evaluation, self._spec.frame_rules, self.nouns),
            *([] if self.output.exclusive else no_background(evaluation)),
            *blind_golden(evaluation, samples.expected, bound),
        ]

    def _weigh(self, pictures: Sequence[Picture], answers: Sequence[Float32Array]) -> Weighed:
        label_ids, scores = self._spec.label_ids, np.stack(answers)
        truth = PictureSet(self.evaluation_set.root, label_ids, tuple(pictures)).truth
        decided = decide(scores, self._spec.thresholds, label_ids, exclusive=self.output.exclusive)
        right = (decided == truth).all(axis=1)
        of_truth = np.where(truth, scores, 0).sum(axis=1) / truth.sum(axis=1)
        return Weighed(right, of_truth.astype(np.float32), float(right.mean()))

    def _classifier(self, backend: Backend, image: ImageInput | None = None) -> ImageClassifier:
        """A classifier as a device has it; or one whose pictures are prepared otherwise."""
        return ImageClassifier(image or self.input, self.output, self._spec.label_ids, backend)


def picture_scores(answers: Sequence[Float32Array]) -> Scores:
    """Scores of pictures in the form that recordings have: one window each."""
    scores = np.stack(answers)
    return Scores(tuple(WindowPlace(index, 0) for index in range(len(answers))), scores, scores)


def top5(pictures: PictureSet, scores: Float32Array) -> list[Metric]:
    """Share of pictures of a label that is among the five highest; none where there are no more labels."""
    if scores.shape[1] <= _TOP:
        return []
    truth = pictures.truth
    known = truth.any(axis=1)
    highest = np.argsort(-scores, axis=1, kind="stable")[:, :_TOP]
    rows = np.arange(len(truth))[:, np.newaxis]
    right = np.asarray(truth[rows, highest]).any(axis=1)
    share = Share(int((right & known).sum()), int(known.sum()))
    interval = share.interval
    return [Metric(name="top5", value=share.value or 0.0, n=share.n, low=interval.low, high=interval.high)]


def picture_summary(pictures: PictureSet) -> PictureSummary:
    """What figures of these pictures rest on."""
    counts = dict(zip(pictures.label_ids, pictures.truth.sum(axis=0).tolist(), strict=True))
    counted = [box.label_id for picture in pictures.samples for box in picture.boxes if not box.passed]
    return PictureSummary(
        pictures=len(pictures.samples),
        pictures_by_label={label_id: n for label_id, n in counts.items() if n},
        background_pictures=int((~pictures.truth.any(axis=1)).sum()),
        labels_without_pictures=[label_id for label_id, n in counts.items() if not n],
        boxes_by_label={label_id: n for label_id in counts if (n := counted.count(label_id))},
        boxes_passed_over=sum(bool(box.passed) for picture in pictures.samples for box in picture.boxes),
    )

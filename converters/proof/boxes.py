"""The trial of a detector: boxes held against true boxes, and against those of the float source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edge_sdk.console.progress import Progress
from edge_sdk.contract.detector import DetectionOutput
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.manifest import Precision
from edge_sdk.contract.values import Array, Detections, Float32Array
from edge_sdk.errors import BackendError, ModelError, SpecError
from edge_sdk.inference.backend import Backend
from edge_sdk.inference.golden_boxes import golden_rows, split_rows
from edge_sdk.inference.golden_ties import without_suppression
from edge_sdk.inference.image_detector import ImageDetector

from ..data.nouns import PICTURES
from ..data.picture_set import Picture, PictureSet
from ..data.shortlist import shortlist
from ..report.report_file import PictureSummary
from ..sources.source_model import SourceModel, telling_tensors
from ..spec.conversion_spec import ConversionSpec
from ..variants.made import Calibration
from .activation_check import check_activations
from .answers import Answers
from .average_precision import average_precision, drawn_precision
from .box_counts import at_threshold, count_boxes, true_scores
from .box_evidence import low_precision, many_false_boxes
from .box_golden import FoundBoxes, box_tolerance, choose_pictures, least_score
from .box_judge import BoxJudge
from .case import Case, manifest_part
from .decoding_check import check_decoding
from .evidence import (
    boxes_without_area,
    differing_pixels,
    never_found,
    repeated_samples,
    thin_evidence,
    unlisted_pictures,
)
from .head_resize import check_head_resize
from .label_check import check_labels
from .picture_reader import PictureReader
from .picture_run import ask_all, ask_golden, blank_picture, calibration_pictures, first_pictures
from .picture_summary import picture_summary
from .preparation_check import Preparations, check_preparation
from .spread_check import check_spread
from .trial import GoldenAnswer, GoldenSamples, Tolerance
from .turned_boxes import count_turned
from .verdict import SOURCE
from .weighing import DrawnPrecision, Weighed

__all__ = ["BoxesTrial", "check_detector_outputs"]


def check_detector_outputs(spec: ConversionSpec, source: SourceModel) -> DetectionOutput:
    """Complete the spec's detector with the model's outputs, and hold it against them.

    Raises:
        SpecError: They contradict each other.
    """
    output = spec.detector.complete(spec.image, len(spec.labels), source.outputs)
    try:
        ImageDetector(manifest_part(source, spec.image), output, spec.label_ids, source.backend)
    except ModelError as error:
        raise SpecError(error.message, hint=error.hint) from error
    return output


class BoxesTrial:
    """See :class:`.trial.Trial`.

    Args:
        case: A detector, pictures with boxes, and others to calibrate with: what is in those is not asked.
    """

    nouns = PICTURES

    def __init__(self, case: Case[PictureSet]) -> None:
        spec = case.spec
        self.case = case
        self.input: ImageInput = manifest_part(case.source, spec.image)
        self.output: DetectionOutput = check_detector_outputs(spec, case.source)
        self.answers: Answers[list[Detections]] = Answers(
            BoxJudge(spec.thresholds, case.evaluation, case.max_drop)
        )

    def first_tensors(self) -> list[Array]:
        """See :class:`.trial.Trial`."""
        return first_pictures(self.case, self._source().tensor_for)

    def check_source(self, tensors: Sequence[Array], progress: Progress) -> list[str]:
        """See :class:`.trial.Trial`."""
        spec, source = self.case.spec, self.case.source
        reader = PictureReader(source, self.input, len(spec.label_ids))
        with telling_tensors(source.name, source.backend.inputs, source.backend.outputs):
            check_activations(source, self.output, reader, tensors, self.case.acceptance)
            turned = count_turned(source, self.output, reader, tensors, spec.thresholds, spec.label_ids)
            decoded = check_decoding(self.case, self.input, self.output, reader, turned, progress)
        kind = Preparations(ask=lambda image: self._source(image).detect, weigh=self._weigh, figure="mAP50")
        spread = check_spread(self.case, tensors)
        prepared = check_preparation(self.input, self.case, kind, progress)
        resized = check_head_resize(self.case)
        return [*decoded.doubts, *spread, *prepared, *resized, *check_labels(self.case, decoded)]

    def check_calibration(self) -> list[str]:
        """See :class:`.trial.Trial`: what is in the pictures is not known."""
        return []

    def calibration(self, progress: Progress) -> Calibration:
        """See :class:`.trial.Trial`."""
        return calibration_pictures(self.case.required_calibration, self._source().tensor_for, progress)

    def try_once(self, backend: Backend) -> None:
        """See :class:`.trial.Trial`."""
        self._detector(backend).detect(blank_picture(self.input))

    def run(self, models: Mapping[str, Backend], progress: Progress) -> dict[str, BackendError]:
        """See :class:`.trial.Trial`."""
        asked = {name: self._detector(backend).detect for name, backend in models.items()}
        found, failed = ask_all(self.case.evaluation.samples, asked, progress, "evaluating")
        self.answers.keep(found)
        return failed

    def choose_golden(self) -> GoldenSamples:
        """See :class:`.trial.Trial`."""
        evaluation = self.case.evaluation
        indices = choose_pictures(evaluation, self.answers.source, self.case.spec.thresholds)
        chosen = [evaluation.samples[index] for index in indices]
        return ask_golden(chosen, self.input, self._source().detect, golden_rows)

    def answer_golden(self, backend: Backend, samples: GoldenSamples) -> GoldenAnswer:
        """See :class:`.trial.Trial`."""
        spec, detector = self.case.spec, self._detector(backend)
        given = golden_rows([detector.detect(pixels) for pixels in samples.inputs])
        output = without_suppression(self.output, least_score(spec.thresholds, spec.label_ids))
        if output is None:
            return GoldenAnswer(given)
        looking = ImageDetector(self.input, output, spec.label_ids, backend)
        return GoldenAnswer(given, tuple(looking.detect(pixels) for pixels in samples.inputs))

    def tolerance(
        self, precision: Precision, answers: Sequence[GoldenAnswer], samples: GoldenSamples
    ) -> Tolerance:
        """See :class:`.trial.Trial`."""
        kernels = [
            FoundBoxes(split_rows(answer.given, len(samples.inputs)), answer.before) for answer in answers
        ]
        spec = self.case.spec
        return box_tolerance(precision, kernels, self.output, spec.thresholds, spec.label_ids)

    def timed_tensor(self, backend: Backend, samples: GoldenSamples) -> Array:
        """See :class:`.trial.Trial`."""
        return self._detector(backend).tensor_for(samples.inputs[0])

    def summary(self) -> PictureSummary:
        """See :class:`.trial.Trial`."""
        return picture_summary(self.case.evaluation)

    def warnings(self, samples: GoldenSamples, bound: float) -> list[str]:  # noqa: ARG002  (boxes need none)
        """See :class:`.trial.Trial`."""
        evaluation = self.case.evaluation
        figures = self.answers.figures(SOURCE)
        return [
            *low_precision(figures),
            *never_found(figures.labels),
            *many_false_boxes(figures.labels),
            *thin_evidence(evaluation, self.case.spec.thresholds, self.nouns),
            *repeated_samples(evaluation, self.nouns),
            *unlisted_pictures(evaluation),
            *boxes_without_area(evaluation),
            *differing_pixels(self.input),
            *self._blind_golden(samples),
        ]

    def _blind_golden(self, samples: GoldenSamples) -> list[str]:
        """A label without a box at threshold in them could be exchanged unnoticed."""
        label_ids = self.case.spec.label_ids
        (found,) = split_rows(_as_one(samples.expected), 1)
        shown = {
            label_ids[label] for label in at_threshold(found, self.case.spec.thresholds, label_ids).labels
        }
        unseen = [label_id for label_id in self.case.evaluation.covered if label_id not in shown]
        return [f"golden pictures show no box at threshold of: {shortlist(unseen)}"] if unseen else []

    def _weigh(self, pictures: Sequence[Picture], found: Sequence[Detections]) -> Weighed:
        chosen = PictureSet(self.case.evaluation.root, self.case.spec.label_ids, tuple(pictures))
        precision = average_precision(chosen, found)
        return Weighed(
            right=count_boxes(chosen, found, self.case.spec.thresholds).was_found,
            scores=true_scores(chosen, found),
            figure=precision.map50,
            precision=DrawnPrecision(
                {"mAP50": precision.map50, "mAP50-95": precision.map50_95},
                lambda: drawn_precision(chosen, found),
            ),
        )

    def _source(self, image: ImageInput | None = None) -> ImageDetector:
        """The trained model itself; or one whose pictures are prepared otherwise."""
        return self._detector(self.case.source.backend, image)

    def _detector(self, backend: Backend, image: ImageInput | None = None) -> ImageDetector:
        """A detector as a device has it."""
        return ImageDetector(image or self.input, self.output, self.case.spec.label_ids, backend)


def _as_one(rows: Float32Array) -> Float32Array:
    """Boxes of all pictures as if they were of one."""
    joined = rows.copy()
    joined[:, 0] = 0
    return joined

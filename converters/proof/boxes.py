"""The trial of a detector: boxes held against true boxes, and against those of the float source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import structs

from edge_sdk.console.progress import Progress
from edge_sdk.contract.detector import DetectionOutput
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.manifest import Precision
from edge_sdk.contract.values import Array, Detections, Float32Array
from edge_sdk.errors import BackendError, ModelError, SpecError
from edge_sdk.image.picture_file import read_picture
from edge_sdk.inference.backend import Backend
from edge_sdk.inference.golden_boxes import golden_rows, split_rows
from edge_sdk.inference.image_detector import ImageDetector

from ..data.nouns import PICTURES
from ..data.picture_set import Picture, PictureSet
from ..report.report_file import PictureSummary
from ..sources.source_model import SourceModel
from ..spec.spec_file import ConversionSpec
from ..variants.made import Calibration
from .average_precision import average_precision
from .box_counts import at_threshold, count_boxes, true_scores
from .box_golden import box_tolerance, choose_pictures
from .box_judge import BoxJudge
from .evidence import thin_evidence
from .golden_pictures import golden_pictures, golden_size
from .picture_classes import picture_summary
from .picture_run import ask_all, calibration_pictures, spread
from .preparation_check import (
    FIRST_PICTURES,
    MOST_PICTURES,
    Preparations,
    Weighed,
    check_preparation,
)
from .trial import SOURCE, GoldenSamples, Judged, Tolerance, Verdict

__all__ = ["BoxesTrial", "check_detector_outputs"]

_FIRST_PICTURES = 8


def check_detector_outputs(spec: ConversionSpec, source: SourceModel) -> DetectionOutput:
    """Complete the spec's detector with the model's outputs, and hold it against them.

    Raises:
        SpecError: They contradict each other.
    """
    output = spec.detector.complete(spec.image, len(spec.labels), source.outputs)
    try:
        ImageDetector(_fed(spec, source), output, spec.label_ids, source.backend)
    except ModelError as error:
        raise SpecError(error.message, hint=error.hint) from error
    return output


def _fed(spec: ConversionSpec, source: SourceModel) -> ImageInput:
    """The manifest's input: made variants have one tensor, which needs no name."""
    return spec.image if source.traced is None else structs.replace(spec.image, name="")


class BoxesTrial:
    """See :class:`.trial.Trial`.

    Args:
        spec: How the model is fed and read.
        source: The trained model.
        calibration: Pictures for integer variants, if any were given; what is in them is not asked.
        evaluation: Pictures with boxes.
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
        self.input: ImageInput = _fed(spec, source)
        self.output: DetectionOutput = check_detector_outputs(spec, source)
        self._judge = BoxJudge(spec.thresholds, evaluation, max_drop)
        self._found: dict[str, list[Detections]] = {}
        self._figures: dict[str, Judged] = {}

    def first_tensors(self) -> list[Array]:
        """See :class:`.trial.Trial`."""
        pictures = (self.calibration_set or self.evaluation_set).samples
        tensor_for = self._detector(self._source.backend).tensor_for
        return [tensor_for(read_picture(picture.path)) for picture in spread(pictures, _FIRST_PICTURES)]

    def check_source(self, tensors: Sequence[Array], progress: Progress) -> list[str]:  # noqa: ARG002  (boxes have no range)
        """See :class:`.trial.Trial`."""
        labelled = [picture for picture in self.evaluation_set.samples if picture.labels]
        self._refuse_blindness(labelled)
        kind = Preparations(
            ask=lambda image: self._detector(self._source.backend, image).detect,
            weigh=self._weigh,
            figure="mAP50",
        )
        scales = self._source.input.dtype == "float32"
        return check_preparation(self.input, labelled, kind, progress, scales=scales)

    def calibration(self, progress: Progress) -> Calibration:
        """See :class:`.trial.Trial`."""
        calibration = self.calibration_set or self.evaluation_set
        return calibration_pictures(calibration, self._detector(self._source.backend).tensor_for, progress)

    def try_once(self, backend: Backend) -> None:
        """See :class:`.trial.Trial`."""
        self._detector(backend).detect(np.zeros((*golden_size(self.input), 3), dtype=np.uint8))

    def run(self, models: Mapping[str, Backend], progress: Progress) -> dict[str, BackendError]:
        """See :class:`.trial.Trial`."""
        asked = {name: self._detector(backend).detect for name, backend in models.items()}
        self._found, failed = ask_all(self.evaluation_set.samples, asked, progress, "evaluating")
        return failed

    def figures(self, name: str) -> Judged:
        """See :class:`.trial.Trial`."""
        if name not in self._figures:
            self._figures[name] = self._judge.figures(self._found[name])
        return self._figures[name]

    def judge(self, name: str) -> Verdict:
        """See :class:`.trial.Trial`."""
        return self._judge.judge(
            self._found[SOURCE], self._found[name], self.figures(SOURCE), self.figures(name)
        )

    def choose_golden(self) -> GoldenSamples:
        """See :class:`.trial.Trial`."""
        chosen = [
            self.evaluation_set.samples[index]
            for index in choose_pictures(self.evaluation_set, self._found[SOURCE])
        ]
        inputs = golden_pictures(chosen, self.input)
        detector = self._detector(self._source.backend)
        return GoldenSamples(
            inputs=inputs,
            expected=golden_rows([detector.detect(pixels) for pixels in inputs]),
            names=tuple(picture.name for picture in chosen),
        )

    def answer_golden(self, backend: Backend, samples: GoldenSamples) -> Float32Array:
        """See :class:`.trial.Trial`."""
        detector = self._detector(backend)
        return golden_rows([detector.detect(pixels) for pixels in samples.inputs])

    def tolerance(
        self, precision: Precision, answers: Sequence[Float32Array], samples: GoldenSamples
    ) -> Tolerance:
        """See :class:`.trial.Trial`."""
        kernels = [split_rows(rows, len(samples.inputs)) for rows in answers]
        return box_tolerance(precision, kernels, self._spec.thresholds, self._spec.label_ids)

    def timed_tensor(self, backend: Backend, samples: GoldenSamples) -> Array:
        """See :class:`.trial.Trial`."""
        return self._detector(backend).tensor_for(samples.inputs[0])

    def summary(self) -> PictureSummary:
        """See :class:`.trial.Trial`."""
        return picture_summary(self.evaluation_set)

    def warnings(self, samples: GoldenSamples, bound: float) -> list[str]:  # noqa: ARG002  (boxes need none)
        """See :class:`.trial.Trial`."""
        evaluation = self.evaluation_set
        return [
            *thin_evidence(evaluation, self._spec.frame_rules, self.nouns),
            *self._blind_golden(samples),
        ]

    def _refuse_blindness(self, labelled: Sequence[Picture]) -> None:
        """Of a detector that finds nothing all forms agree, and its golden samples are empty."""
        detect = self._detector(self._source.backend).detect
        for most in (FIRST_PICTURES, MOST_PICTURES):
            chosen = spread(labelled, most)
            weighed = self._weigh(chosen, [detect(read_picture(picture.path)) for picture in chosen])
            if weighed.figure > 0:
                return
            if len(chosen) == len(labelled):
                break
        raise SpecError(
            f"{self._source.name}, read as the spec says, finds none of the {len(weighed.right)} boxes in "
            f"{len(chosen)} pictures of the evaluation set (mAP50 0)",
            hint="check under [detector] what a box's numbers are (form, units, order), where the classes "
            "start, the background and the activations; and the order of the labels",
        )

    def _blind_golden(self, samples: GoldenSamples) -> list[str]:
        """A label without a box at threshold in them could be exchanged unnoticed."""
        label_ids = self._spec.label_ids
        (found,) = split_rows(_as_one(samples.expected), 1)
        shown = {label_ids[label] for label in at_threshold(found, self._spec.thresholds, label_ids).labels}
        unseen = [label_id for label_id in self.evaluation_set.covered if label_id not in shown]
        return [f"golden pictures show no box at threshold of: {', '.join(unseen)}"] if unseen else []

    def _weigh(self, pictures: Sequence[Picture], found: Sequence[Detections]) -> Weighed:
        chosen = PictureSet(self.evaluation_set.root, self._spec.label_ids, tuple(pictures))
        return Weighed(
            right=count_boxes(chosen, found, self._spec.thresholds).was_found,
            scores=true_scores(chosen, found),
            figure=average_precision(chosen, found).map50,
        )

    def _detector(self, backend: Backend, image: ImageInput | None = None) -> ImageDetector:
        """A detector as a device has it; or one whose pictures are prepared otherwise."""
        return ImageDetector(image or self.input, self.output, self._spec.label_ids, backend)


def _as_one(rows: Float32Array) -> Float32Array:
    """Boxes of all pictures as if they were of one."""
    joined = rows.copy()
    joined[:, 0] = 0
    return joined

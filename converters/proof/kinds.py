"""Which kind of model a spec describes, and what is done differently for each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from edge_sdk.console.progress import Progress
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.manifest import ClassesOutput
from edge_sdk.contract.values import TensorSpec
from edge_sdk.errors import DatasetError, ModelError, SpecError
from edge_sdk.image.opencv import load_opencv
from edge_sdk.inference.image_feed import fit_image

from ..data.dataset import Dataset, read_dataset
from ..data.labelled_set import LabelledSet, refuse_shared_samples
from ..data.nouns import Nouns
from ..data.picture_set import PictureSet
from ..data.pictures import read_boxes, read_pictures, read_unlabelled
from ..request import Request
from ..sources.input_scaling import check_scaling
from ..sources.model_check import check_outputs, fit_window
from ..sources.source_model import SourceModel, telling_tensors
from ..spec.conversion_spec import ConversionSpec
from .acceptance import Acceptance
from .boxes import BoxesTrial, check_detector_outputs
from .case import Case
from .picture_classes import PictureClassesTrial
from .sound import SoundTrial
from .trial import Trial

__all__ = ["check_model", "fit_input", "make_trial"]

_SetT = TypeVar("_SetT", Dataset, PictureSet)


def fit_input(spec: ConversionSpec, model_input: TensorSpec) -> tuple[int, ...]:
    """The shape of one sample's tensor, batch of 1.

    Raises:
        SpecError: What the spec makes of a sample does not fit; the hint says what the model wants.
    """
    if not isinstance(spec.input, ImageInput):
        return fit_window(spec, model_input)
    try:
        return fit_image(spec.input, model_input)
    except ModelError as error:
        raise SpecError(error.message, hint=error.hint) from error


def check_model(spec: ConversionSpec, source: SourceModel, acceptance: Acceptance) -> None:
    """Hold what a model does to its input, and its outputs, against the spec.

    Raises:
        SpecError: They contradict each other; the message lists the model's inputs and outputs.
        MissingExtraError: OpenCV, which makes pictures fit, is not installed.
    """
    with telling_tensors(source.name, source.backend.inputs, source.backend.outputs):
        if isinstance(spec.input, ImageInput):
            load_opencv()  # nobody shall wait for thousands of pictures to be read, and then install it
            _settle_scaling(spec.input, source, acceptance)
        if isinstance(spec.output, ClassesOutput):
            check_outputs(spec, source)
        else:
            check_detector_outputs(spec, source)


def _settle_scaling(image: ImageInput, source: SourceModel, acceptance: Acceptance) -> None:
    try:
        check_scaling(image, source)
    except SpecError as error:
        acceptance.take({"preprocessing": error.message}, error.hint or "")


def make_trial(
    request: Request, spec: ConversionSpec, source: SourceModel, acceptance: Acceptance, progress: Progress
) -> Trial:
    """Read the data sets of a conversion, and put them to the trial of that kind of model.

    Raises:
        DatasetError: Samples cannot be used, prove nothing, or are in both sets.
    """
    labels = spec.labels
    if not isinstance(spec.input, ImageInput):
        sounds = _read(
            request,
            SoundTrial.nouns,
            lambda folder, what: read_dataset(folder, spec.label_ids, progress=progress, what=what),
        )
        return SoundTrial(Case(spec, source, *sounds, request.max_drop, acceptance))
    if isinstance(spec.output, ClassesOutput):
        pictures = _read(
            request,
            PictureClassesTrial.nouns,
            lambda folder, what: read_pictures(folder, labels, progress=progress, what=what),
        )
        return PictureClassesTrial(Case(spec, source, *pictures, request.max_drop, acceptance))
    boxed = _read(
        request,
        BoxesTrial.nouns,
        lambda folder, what: read_boxes(folder, labels, progress=progress, what=what),
        lambda folder, what: read_unlabelled(folder, labels, progress=progress, what=what),
    )
    return BoxesTrial(Case(spec, source, *boxed, request.max_drop, acceptance))


def _read(
    request: Request,
    nouns: Nouns,
    read: Callable[[Path, str], _SetT],
    read_calibration: Callable[[Path, str], _SetT] | None = None,
) -> tuple[_SetT | None, _SetT]:
    evaluation = read(request.evaluation, "evaluation")
    _require_labels(request.evaluation, evaluation, nouns)
    if request.calibration is None:
        return None, evaluation
    calibration = (read_calibration or read)(request.calibration, "calibration")
    refuse_shared_samples(calibration, evaluation, nouns)
    return calibration, evaluation


def _require_labels(folder: Path, evaluation: LabelledSet[Any], nouns: Nouns) -> None:
    if not evaluation.covered:
        raise DatasetError(
            f"{folder} has no {nouns.one} of any label, so nothing can be judged",
            hint=f"labels: {', '.join(evaluation.label_ids[:20])}",
        )

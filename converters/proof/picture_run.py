"""Running models over pictures: each is decoded once and shown to every model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from edge_sdk.console.progress import Progress
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.values import Array, Float32Array, Pixels
from edge_sdk.errors import BackendError
from edge_sdk.image.picture_file import read_picture

from ..data.even_choice import spread
from ..data.picture_set import Picture, PictureSet
from ..variants.made import Calibration
from .case import Case
from .golden_pictures import golden_pictures, golden_size
from .trial import GoldenSamples

__all__ = [
    "MOST_CALIBRATION",
    "ask_all",
    "ask_golden",
    "blank_picture",
    "calibration_pictures",
    "first_pictures",
]

_FIRST_PICTURES = 8
MOST_CALIBRATION = 400
"""More change ranges little and cost time; they are taken evenly from the set."""

_AnswerT = TypeVar("_AnswerT")


def ask_all(
    pictures: Sequence[Picture],
    models: Mapping[str, Callable[[Pixels], _AnswerT]],
    progress: Progress,
    what: str,
) -> tuple[dict[str, list[_AnswerT]], dict[str, BackendError]]:
    """Show every picture to every model.

    Args:
        pictures: The pictures.
        models: By name; each answers one picture.
        progress: Told how far it is.
        what: What to call the work there.

    Returns:
        Answers by name, one a picture, and the error of each model that broke on the way.
    """
    answers: dict[str, list[_AnswerT]] = {name: [] for name in models}
    failed: dict[str, BackendError] = {}
    for picture in progress.track(pictures, what):
        pixels = read_picture(picture.path)
        for name in [name for name in models if name not in failed]:
            answer = _try_answer(models[name], pixels)
            if isinstance(answer, BackendError):
                failed[name] = answer
            else:
                answers[name].append(answer)
    return {name: given for name, given in answers.items() if name not in failed}, failed


def calibration_pictures(
    pictures: PictureSet, tensor_for: Callable[[Pixels], Array], progress: Progress
) -> Calibration:
    """The model inputs of at most :data:`MOST_CALIBRATION` pictures; one is held at a time.

    Args:
        pictures: The calibration set.
        tensor_for: Makes the tensor, with the very code that a device runs.
        progress: Told how far it is, each time.
    """
    chosen = spread(pictures.samples, MOST_CALIBRATION)

    def tensors() -> Iterable[Array]:
        for picture in progress.track(chosen, "calibrating"):
            yield tensor_for(read_picture(picture.path))

    return tensors


def first_pictures(case: Case[PictureSet], tensor_for: Callable[[Pixels], Array]) -> list[Array]:
    """What the model is fed for a few pictures, spread over the set."""
    chosen = spread(case.tried_first.samples, _FIRST_PICTURES)
    return [tensor_for(read_picture(picture.path)) for picture in chosen]


def blank_picture(image: ImageInput) -> Pixels:
    """A black picture of the golden ones' size."""
    return np.zeros((*golden_size(image), 3), dtype=np.uint8)


def ask_golden(
    chosen: Sequence[Picture],
    image: ImageInput,
    ask: Callable[[Pixels], _AnswerT],
    pack: Callable[[list[_AnswerT]], Float32Array],
) -> GoldenSamples:
    """Golden samples of some pictures.

    Args:
        chosen: The pictures.
        image: What the model is fed.
        ask: Gives the float source's answer to one.
        pack: Puts all answers into one array.
    """
    inputs = golden_pictures(chosen, image)
    return GoldenSamples(
        inputs=inputs,
        expected=pack([ask(pixels) for pixels in inputs]),
        names=tuple(picture.name for picture in chosen),
    )


def _try_answer(ask: Callable[[Pixels], _AnswerT], pixels: Pixels) -> _AnswerT | BackendError:
    """A variant that breaks on one picture is out; the others go on."""
    try:
        return ask(pixels)
    except BackendError as error:
        return error

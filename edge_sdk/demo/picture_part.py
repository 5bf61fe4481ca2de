"""The demo's part for pictures: a classifier of ImageNet's things, and a detector of faces."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from ..contract.bundle import Bundle
from ..errors import MissingExtraError
from .children import ask
from .example import Example
from .picture_sets import FACE_AREA, KNOWN_PHOTOS, lay_out_pictures
from .picture_verdict import TOP, PictureVerdict, judge_clip, judge_photos

__all__ = ["Converter", "NoPictures", "PicturePart", "picture_part"]

_CLASSIFIER = "efficientnet_lite0"
_DETECTOR = "short_range"


class Converter(Protocol):
    """What converts: :class:`.children.ConvertChild`."""

    def convert(self, arguments: Sequence[str], /) -> None:
        """Convert, given what follows ``edge-sdk convert``."""


def picture_part(folder: Path, cache: Path, say: Callable[[str], None]) -> PicturePart | NoPictures:
    """The part for pictures, or where OpenCV is not installed, one that says so.

    No other extra brings OpenCV, as a Jetson has its own: its absence is no failure.

    Args:
        folder: What the demo leaves behind goes there.
        cache: For what is fetched.
        say: Tells the person at the terminal.
    """
    if importlib.util.find_spec("cv2") is None:
        return NoPictures(say)
    return PicturePart(folder, cache, say)


class NoPictures:
    """Stands where the part for pictures would, without OpenCV."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def builds(self, example: Example) -> list[list[str]]:  # noqa: ARG002  (the part needs it)
        """Nothing."""
        return []

    def lay_out(self) -> None:
        """Nothing."""

    def convert(self, converter: Converter) -> None:  # noqa: ARG002  (the part needs it)
        """Tell what is missing."""
        missing = MissingExtraError("cv2", "camera-opencv")
        self._say(f"3. Pictures are left out: {missing.message}; {missing.hint} brings it")

    def look(self) -> None:
        """Nothing."""


class PicturePart:
    """Converts both models and has them look.

    Args:
        folder: What it leaves behind goes there.
        cache: For what is fetched.
        say: Tells the person at the terminal.
    """

    def __init__(self, folder: Path, cache: Path, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._cache = cache
        self._say = say
        self._models = folder / "models"
        self._pictures = folder / "pictures"
        self._classifier = folder / "efficientnet-lite0.edge"
        self._detector = folder / "blazeface.edge"

    def builds(self, example: Example) -> list[list[str]]:
        """What writes the models: see :class:`.children.ConvertChild`."""
        return [
            [example.imagenet_module, _CLASSIFIER, "--output", str(self._models)],
            [example.faces_module, "--model", _DETECTOR, "--output", str(self._models)],
        ]

    def lay_out(self) -> None:
        """See :func:`.picture_sets.lay_out_pictures`."""
        self._sets = lay_out_pictures(self._cache, self._pictures)

    def convert(self, converter: Converter) -> None:
        """Convert both, once all is laid out.

        Raises:
            EdgeSdkError: A conversion failed; it has told why.
        """
        self._say(
            "3. The same for pictures: EfficientNet-Lite0 with its ImageNet weights, BlazeFace as it comes"
        )
        keras, tflite = self._models / f"{_CLASSIFIER}.keras", self._models / f"{_DETECTOR}.tflite"
        few = ["--variants", "tflite-float32,tflite-dynamic"]
        converter.convert([*_options(keras, self._sets.objects, self._classifier), *few])
        converter.convert([*_options(tflite, self._sets.faces, self._detector), "--variants", "tflite"])
        self._say(
            "   Two photos and one face are no measure of accuracy: they show that each variant answers as"
        )
        self._say("   its model did. docs/reference/models.md has what was measured on more.")

    def look(self) -> PictureVerdict:
        """Have both look as a device would, keep what they draw, and tell what they saw.

        Raises:
            EdgeSdkError: A picture could not be looked at.
        """
        self._say("7. What is in photos and in a clip against what was seen")
        photos = [str(photo) for photo in self._sets.photos]
        classes = self._predict(self._classifier, [*photos, "--top", str(TOP)])
        faces = self._predict(self._detector, [str(self._sets.clip)])
        verdict = PictureVerdict(judge_photos(classes, KNOWN_PHOTOS), judge_clip(faces, FACE_AREA))
        clip = verdict.clip
        self._say(verdict.table())
        self._say(
            f"   {self._sets.clip.name}: the man's face is found in {clip.with_face} of {clip.frames} frames"
            f"; boxes elsewhere: {clip.elsewhere}"
        )
        return verdict

    def _predict(self, bundle: Path, files: list[str]) -> bytes:
        report = Bundle.open(bundle).read("report.html")
        bundle.with_name(f"{bundle.stem}-report.html").write_bytes(report)
        options = [str(bundle), *files, "--save", str(self._pictures / "seen"), "--json"]
        return ask("predict", options, self._folder / f"{bundle.stem}.log")


def _options(model: Path, evaluation: Path, bundle: Path) -> list[str]:
    spec = model.with_suffix(".toml")
    return [str(model), "--spec", str(spec), "--evaluation", str(evaluation), "-o", str(bundle)]

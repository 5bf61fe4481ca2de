"""The demo's part for pictures: a classifier of ImageNet's things, and a detector of faces."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..contract.bundle import Bundle
from ..errors import MissingExtraError
from .children import ask
from .example import Example
from .picture_sets import FACE_AREA, KNOWN_PHOTOS, lay_out_pictures
from .picture_verdict import TOP, PictureVerdict, judge_clip, judge_photos

__all__ = ["Converter", "NoPictures", "PicturePart", "PictureReport", "picture_part"]

_CLASSIFIER = "efficientnet_lite0"
_DETECTOR = "short_range"


class Converter(Protocol):
    """What converts: :class:`.children.ConvertChild`."""

    def convert(self, arguments: Sequence[str], log: Path, /) -> None:
        """Convert, given what follows ``edge-sdk convert``, and print to a file."""


@dataclass(frozen=True, slots=True)
class PictureReport:
    """What came of it.

    Attributes:
        lines: To be shown.
        verdict: None where pictures were left out.
    """

    lines: tuple[str, ...]
    verdict: PictureVerdict | None


def picture_part(folder: Path, cache: Path) -> PicturePart | NoPictures:
    """The part for pictures, or where OpenCV is not installed, one that says so.

    No other extra brings OpenCV, as a Jetson has its own: its absence is no failure.

    Args:
        folder: What the demo leaves behind goes there.
        cache: For what is fetched.
    """
    if importlib.util.find_spec("cv2") is None:
        return NoPictures()
    return PicturePart(folder, cache)


class NoPictures:
    """Stands where the part for pictures would, without OpenCV."""

    def builds(self, example: Example) -> list[list[str]]:  # noqa: ARG002  (the part needs it)
        """Nothing."""
        return []

    def lay_out(self) -> None:
        """Nothing."""

    def work(self, converter: Converter) -> PictureReport:  # noqa: ARG002  (the part needs it)
        """Tell what is missing."""
        missing = MissingExtraError("cv2", "camera-opencv")
        line = f"6. Pictures are left out: {missing.message}; {missing.hint} brings it"
        return PictureReport((line,), None)


class PicturePart:
    """Converts both models and has them look, printing nothing: it runs beside something else.

    Args:
        folder: What it leaves behind goes there.
        cache: For what is fetched.
    """

    def __init__(self, folder: Path, cache: Path) -> None:
        self._folder = folder
        self._cache = cache
        self._log = folder / "pictures-convert.log"
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

    def work(self, converter: Converter) -> PictureReport:
        """Convert both models, have them look as a device would, and keep what they draw.

        Raises:
            EdgeSdkError: A conversion failed, or a picture could not be looked at.
        """
        self._log.unlink(missing_ok=True)
        keras, tflite = self._models / f"{_CLASSIFIER}.keras", self._models / f"{_DETECTOR}.tflite"
        few = ["--variants", "tflite-float32,tflite-dynamic"]
        converter.convert([*_options(keras, self._sets.objects, self._classifier), *few], self._log)
        faces = [*_options(tflite, self._sets.faces, self._detector), "--variants", "tflite"]
        converter.convert(faces, self._log)
        return self._report(self._look())

    def _report(self, verdict: PictureVerdict) -> PictureReport:
        clip = verdict.clip
        faces = f"the man's face is found in {clip.with_face} of {clip.frames} frames"
        lines = (
            "6. The same for pictures: EfficientNet-Lite0 with its ImageNet weights, BlazeFace as it comes",
            self._log.read_text(encoding="utf-8").rstrip(),
            "   Two photos and one face are no measure of accuracy: they show that each variant answers as",
            "   its model did. docs/reference/models.md has what was measured on more.",
            "7. What is in photos and in a clip against what was seen",
            verdict.table(),
            f"   {self._sets.clip.name}: {faces}; boxes elsewhere: {clip.elsewhere}",
        )
        return PictureReport(lines, verdict)

    def _look(self) -> PictureVerdict:
        photos = [str(photo) for photo in self._sets.photos]
        classes = self._predict(self._classifier, [*photos, "--top", str(TOP)])
        faces = self._predict(self._detector, [str(self._sets.clip)])
        return PictureVerdict(judge_photos(classes, KNOWN_PHOTOS), judge_clip(faces, FACE_AREA))

    def _predict(self, bundle: Path, files: list[str]) -> bytes:
        report = Bundle.open(bundle).read("report.html")
        bundle.with_name(f"{bundle.stem}-report.html").write_bytes(report)
        options = [str(bundle), *files, "--save", str(self._pictures / "seen"), "--json"]
        return ask("predict", options, self._folder / f"{bundle.stem}.log")


def _options(model: Path, evaluation: Path, bundle: Path) -> list[str]:
    spec = model.with_suffix(".toml")
    return [str(model), "--spec", str(spec), "--evaluation", str(evaluation), "-o", str(bundle), "--force"]

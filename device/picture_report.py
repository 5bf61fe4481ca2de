"""What a bundle sees in one picture, or in a video frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from msgspec import Struct

from edge_sdk.contract.bundle import Bundle
from edge_sdk.contract.manifest import ClassesOutput, Manifest, Variant
from edge_sdk.contract.values import Box, Detections, Float32Array, Frame, Pixels
from edge_sdk.decode.counting import Counting, counting_of
from edge_sdk.errors import UsageError
from edge_sdk.image.draw import draw_classes, draw_detections
from edge_sdk.inference.backend import Backend
from edge_sdk.inference.image_classifier import ImageClassifier
from edge_sdk.inference.image_detector import ImageDetector
from edge_sdk.inference.open import choose_variant, open_backend

if TYPE_CHECKING:
    from typing_extensions import Self

    from edge_sdk.inference.fallback import Opened

Draw: TypeAlias = Callable[[], Pixels]

__all__ = ["Draw", "FoundBox", "FrameReport", "PictureLooker", "PictureReport"]


class FoundBox(Struct, frozen=True, kw_only=True):
    """One thing in a picture. ``box`` is ``x1, y1, x2, y2`` in pixels of the picture."""

    label: str
    score: float
    threshold: float
    box: Box


class FrameReport(Struct, frozen=True, kw_only=True):
    """One picture, or one frame of a video.

    Attributes:
        index: Number of the frame, from 0.
        time_s: When it is shown, from the start of the video; null for a picture.
        scores: Classifiers: the best labels, and every label that counts; best first.
        over_threshold: Classifiers: which labels count; see :mod:`edge_sdk.decode.counting`.
        boxes: Detectors: what counts, best first.
    """

    index: int = 0
    time_s: float | None = None
    scores: Mapping[str, float] = {}
    over_threshold: list[str] = []
    boxes: list[FoundBox] = []


class PictureReport(Struct, frozen=True, kw_only=True):
    """One file.

    Attributes:
        file: Its path, as it was given.
        error: Why it could not be used, or not to its end; what came before holds.
        hint: What can be done about that.
        width, height: Of the picture, in pixels; 0 where none could be read.
        frames_seen: How many frames were looked at.
        seen: For each label that counted: in how many frames.
        peaks: ... and its highest score.
        saved: Where the drawn picture or video is.
    """

    file: str
    error: str | None
    hint: str | None
    width: int
    height: int
    frames_seen: int
    seen: dict[str, int]
    peaks: dict[str, float]
    saved: str | None


class PictureLooker:
    """Looks at pictures with one variant. A context manager.

    Args:
        bundle: Verified.
        variant: Which variant; by default the first whose engine is installed.
        threads: Threads that one inference may use.
        opened: What runs a variant already, instead of the two before. Closed with the looker.
        top: How many labels a classifier tells of.
        threshold: What scores must reach, instead of the bundle's own rule.

    Attributes:
        counting: What counts.

    Raises:
        UsageError: There is no such variant, the bundle listens, or its detector leaves out boxes that
            would reach ``threshold``.
        MissingExtraError: Its engine, or what prepares pictures, is not installed.
        BackendError: The engine refuses it.
        ModelError: It does not fit the manifest.
    """

    def __init__(
        self,
        bundle: Bundle,
        variant: str | None = None,
        *,
        threads: int = 1,
        opened: Opened | None = None,
        top: int = 5,
        threshold: float | None = None,
    ) -> None:
        manifest = bundle.manifest
        self.manifest: Manifest = manifest
        self.variant: Variant = opened.choice.variant if opened else choose_variant(manifest, variant)
        self._top = top
        if threshold is not None:
            _require_reachable(manifest, threshold)
        self.counting: Counting = counting_of(manifest, threshold)
        self._thresholds = [self.counting.threshold(label.id) for label in manifest.labels]
        self._backend: Backend = (
            opened.backend
            if opened
            else open_backend(
                bundle.read(self.variant.file),
                self.variant.format,
                threads=threads,
                name=f"{bundle.path.name}/{self.variant.name}",
            )
        )
        self._model = _model(manifest, self.variant, self._backend, min(self._thresholds))

    def look(self, frame: Frame, time_s: float | None = None) -> tuple[FrameReport, Draw]:
        """Run the model on one picture.

        Returns:
            What is told of it, and how to draw it: gives a new picture.

        Raises:
            BackendError: The engine failed.
        """
        if isinstance(self._model, ImageClassifier):
            return self._classes(frame, time_s, self._model.score(frame.pixels))
        return self._boxes(frame, time_s, self._model.detect(frame.pixels))

    def _classes(self, frame: Frame, time_s: float | None, scores: Float32Array) -> tuple[FrameReport, Draw]:
        labels, values = self.manifest.labels, scores.tolist()
        ranked = np.argsort(-scores, kind="stable").tolist()
        may_count = ranked[:1] if self.counting.highest else ranked
        counts = [index for index in may_count if values[index] >= self._thresholds[index]]
        counting = set(counts)
        shown = [index for place, index in enumerate(ranked) if place < self._top or index in counting]
        told = FrameReport(
            index=frame.index,
            time_s=time_s,
            scores={labels[index].id: round(values[index], 6) for index in shown},
            over_threshold=[labels[index].id for index in counts],
        )
        lines = [(labels[index].name, values[index]) for index in shown]
        return told, lambda: draw_classes(frame.pixels, lines)

    def _boxes(self, frame: Frame, time_s: float | None, found: Detections) -> tuple[FrameReport, Draw]:
        labels, thresholds = self.manifest.labels, self._thresholds
        names = [label.name for label in labels]
        told = FrameReport(
            index=frame.index,
            time_s=time_s,
            boxes=[
                FoundBox(
                    label=labels[label].id,
                    score=round(score, 6),
                    threshold=thresholds[label],
                    box=(box[0], box[1], box[2], box[3]),
                )
                for box, score, label in zip(
                    found.boxes.round(2).tolist(),
                    found.scores.tolist(),
                    found.labels.tolist(),
                    strict=True,
                )
                if score >= thresholds[label]
            ],
        )
        return told, lambda: draw_detections(frame.pixels, found, names, thresholds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._backend.close()


def _require_reachable(manifest: Manifest, threshold: float) -> None:
    """What a detector never gives must not look as if nothing were there."""
    output = manifest.outputs[0]
    if not isinstance(output, ClassesOutput) and threshold < output.least_score:
        raise UsageError(
            f"the detector of {manifest.name} leaves out what scores below {output.least_score:g}, so a "
            f"threshold of {threshold:g} cannot be kept",
            hint=f"--threshold {output.least_score:g} shows all; a lower least_score needs a conversion",
        )


def _model(
    manifest: Manifest, variant: Variant, backend: Backend, least_score: float
) -> ImageClassifier | ImageDetector:
    output, image, labels = manifest.outputs[0], manifest.image, manifest.label_ids
    if isinstance(output, ClassesOutput):
        return ImageClassifier(image, output, labels, backend, variant.tensors)
    return ImageDetector(image, output, labels, backend, variant.tensors, least_score=least_score)

"""The network's own numbers to boxes: :class:`edge_sdk.contract.detector.CandidateBoxes`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..contract.detector import CandidateBoxes, Part, Scale
from ..contract.image import ImageInput
from ..contract.values import Array, TensorSpec
from ..errors import ModelError
from .box_coding import box_decoder, numbers_per_box
from .candidate_scores import ScoreReader
from .part_layout import PartLayout, lay_out
from .places import find_places
from .raw_detections import RawDetections, best_first, joined, without_empty_boxes
from .suppression import suppress
from .tensor_reader import TensorReader, called, find_spec

__all__ = ["CandidateDecoder"]

_NO_NUMBERS = np.empty((0, 0), np.float32)


class CandidateDecoder:
    """Decodes one model's candidates. Not for use by two threads at once.

    Args:
        output: The manifest's description, already checked.
        image: The model's input, whose pixels boxes are in.
        n_labels: How many labels the manifest has.
    """

    def __init__(self, output: CandidateBoxes, image: ImageInput, n_labels: int) -> None:
        self._output = output
        self._n_labels = n_labels
        scores = ScoreReader(output, n_labels)
        of_one_label = ScoreReader(output, 1)
        self._scales = [
            _ScaleDecoder(
                f"scale {number}", scale, output, image, scores if scale.label is None else of_one_label
            )
            for number, scale in enumerate(output.scales)
        ]

    def check(self, outputs: Sequence[TensorSpec]) -> None:
        """Hold the description against the outputs of a model, before any picture is seen.

        Raises:
            ModelError: An output is missing or of another shape; names it, and both shapes.
        """
        self._check_labels()
        for scale in self._scales:
            scale.check(outputs)

    def __call__(self, outputs: Mapping[str, Array]) -> RawDetections:
        """Boxes of one picture, best first.

        Args:
            outputs: As a backend gives them, by name.

        Raises:
            ModelError: An output is missing or of another shape than described.
            BackendError: An output that is no finite number, or no score though it should be.
        """
        tensors = TensorReader(outputs)
        found = joined([scale(tensors) for scale in self._scales])
        if len(found.scores) > self._output.most_candidates:
            found = found.take(best_first(found.scores, self._output.most_candidates))
        return suppress(
            without_empty_boxes(found),
            self._output.suppression,
            least_score=self._output.least_score,
            most=self._output.most,
        )

    def _check_labels(self) -> None:
        """Each label has a scale that can find it, and each scale a label that there is."""
        labels = {scale.label for scale in self._output.scales}
        named = {label for label in labels if label is not None}
        known = set(range(self._n_labels))
        if named - known or (None not in labels and named != known):
            raise ModelError(
                f"the detector's scales are of labels {', '.join(map(str, sorted(named)))}, but it has "
                f"{self._n_labels} labels",
                hint="the label of a scale counts from 0",
            )


class _Layouts(NamedTuple):
    classes: PartLayout
    box: PartLayout | None = None
    size: PartLayout | None = None
    objectness: PartLayout | None = None
    quality: PartLayout | None = None


class _ScaleDecoder:
    """One set of candidates."""

    def __init__(
        self, where: str, scale: Scale, output: CandidateBoxes, image: ImageInput, scores: ScoreReader
    ) -> None:
        coding = scale.coding or output.coding
        self._where = where
        self._scale = scale
        self._most = output.most_candidates
        self._scores = scores
        self._places = find_places(scale, image)
        self._decode = box_decoder(coding, self._places, image)
        count = numbers_per_box(coding)
        parts = {
            "box": (scale.box, count if scale.size is None else 2),
            "classes": (scale.classes, scores.n_columns),
            "size": (scale.size, 2),
            "objectness": (scale.objectness, 1),
            "quality": (scale.quality, 1),
        }
        self._read = {name: (part, numbers) for name, (part, numbers) in parts.items() if part is not None}
        self._tensors = tuple(dict.fromkeys(part.tensor for part, _ in self._read.values()))
        self._shapes: Mapping[str, tuple[int, ...]] = {}
        self._layouts: _Layouts | None = None

    def check(self, outputs: Sequence[TensorSpec]) -> None:
        shapes: dict[str, tuple[int, ...]] = {}
        for part, _ in self._read.values():
            shape = find_spec(part.tensor, outputs).shape
            sides = _one_batch(part, shape)
            if None in sides:
                return  # the first picture will tell
            shapes[part.tensor] = tuple(side for side in sides if side is not None)
        self._lay_out(shapes)

    def __call__(self, tensors: TensorReader) -> RawDetections:
        layouts = self._lay_out({name: tensors.shape(name) for name in self._tensors})
        candidates, scores, labels = self._scores.choose(
            tensors, layouts.classes, layouts.objectness, layouts.quality
        )
        if self._scale.label is not None:
            labels = labels + self._scale.label
        if len(scores) > self._most:
            best = best_first(scores, self._most)
            candidates, scores, labels = candidates[best], scores[best], labels[best]
        if layouts.box is None:
            return RawDetections(self._decode(_NO_NUMBERS, candidates), scores, labels)
        numbers = layouts.box.gather(tensors.flat(layouts.box.tensor), candidates)
        if layouts.size is not None:
            sizes = layouts.size.gather(tensors.flat(layouts.size.tensor), candidates)
            numbers = np.concatenate([numbers, sizes], axis=1)
        return RawDetections(self._decode(numbers, candidates), scores, labels)

    def _lay_out(self, shapes: Mapping[str, tuple[int, ...]]) -> _Layouts:
        """Tables for tensors of these shapes; made anew only where a shape changes."""
        if self._layouts is not None and shapes == self._shapes:
            return self._layouts
        layouts: dict[str, PartLayout] = {}
        for name, (part, count) in self._read.items():
            where = f"{name} of {self._where}"
            layouts[name] = lay_out(where, part, count, self._scale, self._places, shapes[part.tensor])
            self._check_extent(where, part.unread, layouts[name], count, exact=name == "classes" or count > 4)
        if len({layout.candidates for layout in layouts.values()}) > 1:
            counts = ", ".join(f"{layout.candidates} of {name}" for name, layout in layouts.items())
            raise ModelError(f"the parts of {self._where} do not belong together: the model gives {counts}")
        self._shapes = shapes
        self._layouts = _Layouts(**layouts)
        return self._layouts

    def _check_extent(self, where: str, unread: int, layout: PartLayout, count: int, *, exact: bool) -> None:
        """A class too few or too many would be a wrong label, or one never seen; so would a bin."""
        starts = [part.start for part, _ in self._read.values() if part.tensor == layout.tensor]
        end = min((start for start in starts if start > layout.start), default=layout.values)
        room = max(0, min(end, layout.values) - layout.start)
        if room < count or (exact and room != count + unread):
            raise ModelError(
                f"{where} needs {count}{f' and {unread} unread' if unread else ''} numbers from "
                f"{layout.start} on in {called(layout.tensor)}, but there are {room}",
                hint="the number of labels, the background, or a start is not that of the model",
            )


def _one_batch(part: Part, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
    """The shape for one picture, where the model leaves open how many it takes."""
    if len(shape) != len(part.axes):
        return tuple(side or 1 for side in shape)
    return tuple(
        1 if side is None and axis == "batch" else side for axis, side in zip(part.axes, shape, strict=True)
    )

"""Boxes that the model finished itself: ``DetectionTensors`` and ``DetectionRows`` of the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..contract.detector import DetectionRows, DetectionTensors
from ..contract.detector_checks import row_columns
from ..contract.image import ImageInput
from ..contract.values import Array, Float32Array, TensorSpec
from ..errors import BackendError, ModelError
from .box_coding import box_decoder
from .raw_detections import RawDetections, best_first, without_empty_boxes
from .suppression import suppress
from .tensor_reader import TensorReader, called, find_spec, finite

__all__ = ["RowsDecoder", "TensorsDecoder"]


class _FinishedBoxes:
    """What both forms share: one row a box, of numbers that need no grid."""

    def __init__(self, output: DetectionTensors | DetectionRows, image: ImageInput, n_labels: int) -> None:
        self._limits = output
        self._n_labels = n_labels
        self._decode = box_decoder(output.coding, None, image)

    def _finish(self, boxes: Float32Array, scores: Float32Array, classes: Float32Array) -> RawDetections:
        limits = self._limits
        kept = np.flatnonzero(finite("scores", scores) >= limits.least_score)
        scores = scores[kept]
        if len(scores) and scores.max() > 1 + 1 / 128:
            raise BackendError(
                f"the model gives a box the score {scores.max():g}, which is not within 0..1",
                hint="the manifest may take another number for the score",
            )
        numbers = finite("boxes", np.ascontiguousarray(boxes[kept], np.float32).reshape(-1)).reshape(-1, 4)
        labels = self._labels(finite("classes", classes[kept]))
        found = RawDetections(self._decode(numbers, kept), scores.clip(0, 1), labels)
        return suppress(
            without_empty_boxes(found.take(best_first(found.scores))),
            limits.suppression,
            least_score=limits.least_score,
            most=limits.most,
        )

    def _check_one_label(self) -> None:
        """Without a number for the class, there can be one."""
        if self._n_labels != 1:
            raise ModelError(
                f"no number says which of the {self._n_labels} labels a box is of",
                hint="name the classes, or give one label",
            )

    def _first_label(self, count: int) -> Float32Array:
        return np.full(count, self._limits.first_class, np.float32)

    def _labels(self, classes: Float32Array) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
        labels = np.rint(classes).astype(np.int64) - self._limits.first_class
        wrong = (np.abs(classes - np.rint(classes)) > 1e-3) | (labels < 0) | (labels >= self._n_labels)
        if wrong.any():
            last = self._limits.first_class + self._n_labels - 1
            raise BackendError(
                f"the model gives a box the class {classes[wrong][0]:g}, but the manifest's "
                f"{self._n_labels} labels are the classes {self._limits.first_class} to {last}",
                hint="other labels than the model's, another first_class, or the wrong number for the class",
            )
        return labels


class TensorsDecoder(_FinishedBoxes):
    """Reads boxes, classes, scores and perhaps their count from tensors of their own.

    Args:
        output: The manifest's description.
        image: The model's input, whose pixels boxes are in.
        n_labels: How many labels the manifest has.
    """

    def __init__(self, output: DetectionTensors, image: ImageInput, n_labels: int) -> None:
        super().__init__(output, image, n_labels)
        self._names = output
        self._score_in_row = output.scores == output.boxes
        names = (output.boxes, output.classes, output.scores, output.count)
        self._read = tuple(dict.fromkeys(name for name in names if name))

    def check(self, outputs: Sequence[TensorSpec]) -> None:
        """Hold the description against the outputs of a model.

        Raises:
            ModelError: An output is missing or of another shape; names it, and both shapes.
        """
        if not self._names.classes:
            self._check_one_label()
        self._check_shapes({name: find_spec(name, outputs).shape for name in self._read})

    def __call__(self, outputs: Mapping[str, Array]) -> RawDetections:
        """Boxes of one picture, best first.

        Raises:
            ModelError: An output is missing or of another shape than described.
            BackendError: A number that is not finite, a class that is no label, or no score.
        """
        tensors, names = TensorReader(outputs), self._names
        self._check_shapes({name: tensors.shape(name) for name in self._read})
        boxes = tensors.raw(names.boxes)
        rows = boxes.reshape(-1, boxes.shape[-1])
        classes = _numbers(tensors.raw(names.classes)) if names.classes else self._first_label(len(rows))
        scores = _numbers(rows[:, 4] if self._score_in_row else tensors.raw(names.scores))
        count = self._count(tensors, len(rows))
        return self._finish(rows[:count, :4], scores[:count], classes[:count])

    def _check_shapes(self, shapes: Mapping[str, tuple[int | None, ...]]) -> None:
        names = self._names
        rows = {
            _rows(names.boxes, shapes[names.boxes], 5 if self._score_in_row else 4, names.unread),
            _rows(names.classes, shapes[names.classes], 1) if names.classes else None,
            None if self._score_in_row else _rows(names.scores, shapes[names.scores], 1),
        } - {None}
        if len(rows) > 1:
            listed = ", ".join(f"'{name}' {list(shape)}" for name, shape in shapes.items())
            raise ModelError(f"boxes, classes and scores are not equally many: {listed}")
        if names.count and _rows(names.count, shapes[names.count], 1) not in {1, None}:
            raise ModelError(f"output '{names.count}' has the shape {list(shapes[names.count])}, not [1]")

    def _count(self, tensors: TensorReader, most: int) -> int:
        if not self._names.count:
            return most
        count = float(tensors.flat(self._names.count)[0])
        if not (0 <= count <= most and count == round(count)):
            raise BackendError(f"the model says that it found {count:g} boxes, but has room for {most}")
        return int(count)


class RowsDecoder(_FinishedBoxes):
    """Reads boxes from one tensor, a row each.

    Args:
        output: The manifest's description.
        image: The model's input, whose pixels boxes are in.
        n_labels: How many labels the manifest has.
    """

    def __init__(self, output: DetectionRows, image: ImageInput, n_labels: int) -> None:
        super().__init__(output, image, n_labels)
        self._form = output
        self._columns = max(row_columns(output)) + 1

    def check(self, outputs: Sequence[TensorSpec]) -> None:
        """Hold the description against the outputs of a model.

        Raises:
            ModelError: The output is missing or of another shape; names it, and both shapes.
        """
        if self._form.one_class:
            self._check_one_label()
        self._check_shape(find_spec(self._form.tensor, outputs).shape)

    def __call__(self, outputs: Mapping[str, Array]) -> RawDetections:
        """Boxes of one picture, best first.

        Raises:
            ModelError: The output is missing or of another shape than described.
            BackendError: A number that is not finite, a class that is no label, or no score.
        """
        tensor = TensorReader(outputs).raw(self._form.tensor)
        self._check_shape(tensor.shape)
        form = self._form
        rows = self._of_the_picture(tensor.reshape(-1, tensor.shape[-1]).astype(np.float32))
        boxes = rows[:, form.box_column : form.box_column + 4]
        classes = self._first_label(len(rows)) if form.one_class else rows[:, form.class_column]
        return self._finish(boxes, rows[:, form.score_column], classes)

    def _check_shape(self, shape: tuple[int | None, ...]) -> None:
        _rows(self._form.tensor, shape, self._columns, self._form.unread)

    def _of_the_picture(self, rows: Float32Array) -> Float32Array:
        """The rows before the one that ends the list."""
        column = self._form.picture_column
        if column is None:
            return rows
        pictures = finite("pictures", np.ascontiguousarray(rows[:, column]))
        ends = np.flatnonzero(pictures < 0)
        rows, pictures = rows[: ends[0] if len(ends) else None], pictures[: ends[0] if len(ends) else None]
        if pictures.any():
            raise BackendError(
                f"the model gives a box of picture {pictures[pictures != 0][0]:g}, but was asked about one, "
                "whose number is 0",
                hint="picture_column is not where a row says which picture it is of",
            )
        return rows


def _numbers(values: Array) -> Float32Array:
    return np.ascontiguousarray(values, np.float32).reshape(-1)


def _rows(name: str, shape: tuple[int | None, ...], columns: int, unread: int | None = None) -> int | None:
    """How many rows of so many numbers a tensor has; None where the model leaves it open.

    Args:
        name: The tensor's.
        shape: The tensor's.
        columns: So many numbers of a row are read or passed over.
        unread: So many more stand behind them; None where any number may.

    Raises:
        ModelError: Its shape is another one.
    """
    last = shape[-1] if len(shape) > 1 else None
    if unread is not None and last is not None and last >= columns and last != columns + unread:
        raise ModelError(
            f"a row of {called(name)} has {last} numbers, but {columns}"
            f"{f' and {unread} unread' if unread else ''} are described",
            hint="another order, as [batch, x1, y1, x2, y2, class, score], is said by box_column "
            f"and its like; what is not needed behind them by unread = {last - columns}",
        )
    if columns == 1:
        places, fits = list(shape), True
    else:
        places = list(shape[:-1])
        fits = len(shape) > 1 and (shape[-1] is None or shape[-1] >= columns)
    long = [side for side in places if side not in {1, None}]
    if not fits or len(long) > 1:
        wanted = "[1, n]" if columns == 1 else f"[1, n, {columns} or more]"
        raise ModelError(
            f"output '{name}' has the shape {list(shape)}, where {wanted} is expected",
            hint="an axis of more than 1 beside the boxes means another batch size or another form of output",
        )
    if long:
        return long[0]
    return None if None in places else 1

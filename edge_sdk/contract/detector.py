"""How a detector's outputs become boxes: every parameter, so that a device needs no code of the model's.

Three forms of output are known. :class:`CandidateBoxes`: one row of numbers for each place where a
box could be, as the network computed them; the formulas below turn them into boxes, and overlapping
ones are suppressed here. :class:`DetectionTensors` and :class:`DetectionRows`: the model does that
itself and gives the boxes that are left, in several tensors or in one.

All boxes leave the decoder as corners ``[x1, y1, x2, y2]`` in pixels of the model's input.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

__all__ = [
    "Axis",
    "BoxCoding",
    "BoxForm",
    "CandidateBoxes",
    "DetectionOutput",
    "DetectionRows",
    "DetectionTensors",
    "DirectCoding",
    "DistanceCoding",
    "Grid",
    "OffsetCoding",
    "Part",
    "Scale",
    "Suppression",
]

Axis: TypeAlias = Literal["batch", "rows", "columns", "anchors", "candidates", "values", "anchors_values"]
"""What an axis of an output tensor counts. ``candidates`` runs over all places (grids one after
the other; in each the rows, in those the columns, in those the anchors, unless these have an axis
of their own); ``anchors_values`` over the anchors and, inside, the values of each; ``batch`` is any
axis of 1."""

BoxForm: TypeAlias = Literal["corners", "center_size", "corner_size"]
"""``[x1, y1, x2, y2]``, ``[center x, center y, width, height]`` or ``[x1, y1, width, height]``."""

_Count: TypeAlias = Annotated[int, Meta(ge=0, le=1_000_000)]
_Extent: TypeAlias = Annotated[int, Meta(ge=1, le=8192)]
_Share: TypeAlias = Annotated[float, Meta(ge=0.0, le=1.0)]
_Positive: TypeAlias = Annotated[float, Meta(gt=0.0, le=1e6)]  # JSON has no infinity


class Part(Struct, frozen=True, kw_only=True):
    """Where some of a candidate's numbers stand.

    Attributes:
        tensor: Name of the output, or ``""`` for the model's only output.
        axes: What each axis of that tensor counts. Of an objectness, or of the only class, the axis of
            values may be missing, for there is one number.
        start: The first of the numbers on the axis of values.
        unread: Classes: so many numbers of each candidate stand behind the last class and are not
            read, as key points or the coefficients of a mask. Said, so that no class goes unnoticed.
    """

    tensor: str = ""
    axes: Annotated[list[Axis], Meta(min_length=1, max_length=6)]
    start: _Count = 0
    unread: _Count = 0


class Grid(Struct, frozen=True, kw_only=True):
    """Places where boxes can be: the cells of the input, each with some anchors.

    Attributes:
        rows, columns: The input is cut into so many cells.
        anchors: Width and height of each anchor in pixels of the input; empty for one candidate a
            cell and no anchor. Anchors that lie outermost in the tensor are grids one after the other.
        stride: Side of a cell in pixels of the input, where the grid reaches beyond the input: 416
            pixels in strides of 64 are 7 cells. None where the cells fill the input.
    """

    rows: _Extent
    columns: _Extent
    anchors: list[tuple[float, float]] = []
    stride: _Positive | None = None


class DirectCoding(Struct, frozen=True, kw_only=True, tag="direct", tag_field="coding"):
    """The numbers are the box.

    Attributes:
        form: What the four numbers are.
        order: ``yx`` where each pair begins with y, as in TensorFlow.
        units: ``pixels`` of the input, or ``shares`` of its width and height.
    """

    form: BoxForm = "corners"
    order: Literal["xy", "yx"] = "xy"
    units: Literal["pixels", "shares"] = "pixels"


class OffsetCoding(Struct, frozen=True, kw_only=True, tag="offset", tag_field="coding"):
    """The numbers are offsets of center and size from a cell or an anchor.

    ::

        center = (cell + center_offset) * stride + center_scale * activation(x) * center_unit
        size   = (size_scale * activation(size_factor * w)) ** size_power * size_unit

    Attributes:
        order: ``yx`` where each pair begins with y.
        center_offset: Where in its cell a box begins to count, in cells: 0 its corner, 0.5 its middle.
        center_activation: Applied to x and y.
        center_unit: What 1 means: the ``cell``, the ``anchor``, the ``input``, or one ``pixel``.
        size_activation: Applied to width and height.
        size_unit: As ``center_unit``.
    """

    order: Literal["xy", "yx"] = "xy"
    center_offset: float = 0.0
    center_activation: Literal["none", "sigmoid", "tanh"] = "none"
    center_scale: float = 1.0
    center_unit: Literal["cell", "anchor", "input", "pixel"] = "cell"
    size_activation: Literal["none", "exp", "sigmoid"] = "exp"
    size_factor: float = 1.0
    size_scale: float = 1.0
    size_power: float = 1.0
    size_unit: Literal["cell", "anchor", "input", "pixel"] = "cell"


class DistanceCoding(Struct, frozen=True, kw_only=True, tag="distance", tag_field="coding"):
    """The numbers are distances from a point of the cell to the left, top, right and bottom edge.

    Attributes:
        center_offset: The point in its cell, in cells.
        bins: Where above 1, each distance is a distribution over 0, 1, ... bins - 1 (softmax, then
            its mean), as in Li et al., "Generalized Focal Loss", 2020.
        activation: Applied to each distance where it is one number.
        unit: What 1 means: the ``cell``, or one ``pixel``.
    """

    center_offset: float = 0.5
    bins: Annotated[int, Meta(ge=1, le=256)] = 1
    activation: Literal["none", "exp", "relu"] = "none"
    unit: Literal["cell", "pixel"] = "cell"


BoxCoding: TypeAlias = DirectCoding | OffsetCoding | DistanceCoding


class Scale(Struct, frozen=True, kw_only=True):
    """One set of candidates. Models that look at several scales have several, or one concatenated.

    Attributes:
        box: The first of four numbers (of 4 x ``bins`` for distances).
        size: Where width and height do not stand behind the center, but on their own: the first of two.
        classes: The first class score.
        objectness: Whether there is anything at all; None where classes say so alone.
        grids: The cells, in the order in which candidates come. None needed where boxes are given
            directly.
        priors: Instead of grids: center x, center y, width and height of each candidate's own
            anchor, as shares of the input.
        coding: Where it is not that of the other scales.
    """

    box: Part
    size: Part | None = None
    classes: Part
    objectness: Part | None = None
    grids: list[Grid] = []
    priors: list[tuple[float, float, float, float]] = []
    coding: BoxCoding | None = None


class Suppression(Struct, frozen=True, kw_only=True):
    """Which of several boxes over one thing stays.

    Attributes:
        method: ``hard`` drops every box that overlaps a better one; ``soft`` lowers its score
            (Bodla et al., "Soft-NMS", 2017, Gaussian); ``weighted`` drops as ``hard`` does, and the
            box that stays becomes the mean of itself and those it drops, weighted by their scores, as in
            MediaPipe; ``none``.
        iou_threshold: ``hard``, ``weighted``: how much overlap (intersection over union) is too much.
        sigma: ``soft``: the smaller, the more an overlap costs.
        by_class: Boxes of different classes leave each other alone.
    """

    method: Literal["hard", "soft", "weighted", "none"] = "hard"
    iou_threshold: _Share = 0.45
    sigma: _Positive = 0.5
    by_class: bool = True


class CandidateBoxes(Struct, frozen=True, kw_only=True, tag="candidate_boxes", tag_field="decoder"):
    """The network's own numbers.

    ``score = objectness ** objectness_power * class ** class_power``, each after its activation.

    Attributes:
        role: What it means.
        scales: Where the numbers stand.
        coding: What the four numbers of a box mean.
        class_activation: Applied to the class scores; ``none`` where the model did.
        background: Whether the first or last class stands for nothing there; it is left out.
        objectness_activation: Applied to the objectness.
        several_classes: Each class of a candidate that is over the threshold makes a box; else only
            its best.
        peaks: Where above 0, a class score counts only if it is the highest of its class within a
            square of so many cells around it, as in Zhou et al., "Objects as Points", 2019 (3).
        least_score: Candidates below are dropped before suppression.
        most_candidates: So many at most go into suppression, the best.
        most: So many boxes at most remain, the best.
        suppression: Which of overlapping boxes stays.
    """

    role: Literal["detections"] = "detections"
    scales: Annotated[list[Scale], Meta(min_length=1, max_length=16)]
    coding: BoxCoding
    class_activation: Literal["none", "sigmoid", "softmax"] = "none"
    background: Literal["none", "first", "last"] = "none"
    objectness_activation: Literal["none", "sigmoid"] = "none"
    objectness_power: _Positive = 1.0
    class_power: _Positive = 1.0
    several_classes: bool = False
    peaks: Annotated[int, Meta(ge=0, le=31)] = 0
    least_score: _Share = 0.05
    most_candidates: Annotated[int, Meta(ge=1, le=100_000)] = 10_000
    most: Annotated[int, Meta(ge=1, le=10_000)] = 300
    suppression: Suppression = Suppression()


class DetectionTensors(Struct, frozen=True, kw_only=True, tag="detection_tensors", tag_field="decoder"):
    """Finished boxes in several tensors, as TFLite's detection postprocessing gives them.

    Attributes:
        role: What it means.
        boxes, classes, scores, count: Names of the tensors. ``count`` may be ``""`` where the model
            gives none: then rows with a score below ``least_score`` are empty. ``scores`` may name the
            tensor of boxes: then it is the fifth number of a row.
        coding: What the four numbers of a box mean.
        first_class: The class number of the first label; 1 where 0 is the background.
    """

    role: Literal["detections"] = "detections"
    boxes: str
    classes: str
    scores: str
    count: str = ""
    coding: DirectCoding = DirectCoding(order="yx", units="shares")
    first_class: _Count = 0
    least_score: _Share = 0.05
    most: Annotated[int, Meta(ge=1, le=10_000)] = 300
    suppression: Suppression = Suppression(method="none")


class DetectionRows(Struct, frozen=True, kw_only=True, tag="detection_rows", tag_field="decoder"):
    """Finished boxes in one tensor, a row each: ``[x1, y1, x2, y2, score, class]`` or another order.

    Attributes:
        role: What it means.
        tensor: Name of the output, or ``""`` for the model's only output.
        box_column, score_column, class_column: Where in a row they stand, from 0.
        coding: What the four numbers of a box mean.
        first_class: The class number of the first label; 1 where 0 is the background.
    """

    role: Literal["detections"] = "detections"
    tensor: str = ""
    box_column: _Count = 0
    score_column: _Count = 4
    class_column: _Count = 5
    coding: DirectCoding = DirectCoding()
    first_class: _Count = 0
    least_score: _Share = 0.05
    most: Annotated[int, Meta(ge=1, le=10_000)] = 300
    suppression: Suppression = Suppression(method="none")


DetectionOutput: TypeAlias = CandidateBoxes | DetectionTensors | DetectionRows

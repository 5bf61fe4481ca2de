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

from .box_coding import (
    BoxCoding,
    BoxForm,
    CellCoding,
    CornerCoding,
    DirectCoding,
    DistanceCoding,
    OffsetCoding,
)

__all__ = [
    "Axis",
    "BoxCoding",
    "BoxForm",
    "CandidateBoxes",
    "CellCoding",
    "CornerCoding",
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

Axis: TypeAlias = Literal[
    "batch",
    "rows",
    "columns",
    "anchors",
    "candidates",
    "values",
    "anchors_values",
    "values_anchors",
    "candidates_values",
]
"""What an axis of an output tensor counts. ``candidates`` runs over all places (grids one after
the other; in each the rows, in those the columns, in those the anchors, unless these have an axis
of their own); ``anchors_values`` over the anchors and, inside, the values of each; ``values_anchors``
over the values and, inside, the anchors, as in Caffe's proposals; ``candidates_values`` is a flat row of all
candidates and, inside, their values, as in Caffe's SSD; ``batch`` is any axis of 1."""

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
        order: Where candidates stand in a row: ``row_major`` has one row of cells after the other,
            ``column_major`` one column after the other.
    """

    rows: _Extent
    columns: _Extent
    anchors: list[tuple[float, float]] = []
    stride: _Positive | None = None
    order: Literal["row_major", "column_major"] = "row_major"


class Scale(Struct, frozen=True, kw_only=True):
    """One set of candidates. Models that look at several scales have several, or one concatenated.

    Attributes:
        box: The first of four numbers (of 4 x ``bins`` for distances). None where the coding is ``cell``.
        size: Where width and height do not stand behind the center, but on their own: the first of two.
        classes: The first class score.
        objectness: Whether there is anything at all; None where classes say so alone.
        quality: How well the box fits, as in IoU-aware detectors; None where nothing says so.
        grids: The cells, in the order in which candidates come. None needed where boxes are given
            directly.
        priors: Instead of grids: center x, center y, width and height of each candidate's own
            anchor, as shares of the input.
        coding: Where it is not that of the other scales.
        label: Where all candidates are of one label, that one, from 0; ``classes`` is then one score. So
            boxes that differ by class are described: a scale for each.
    """

    box: Part | None = None
    size: Part | None = None
    classes: Part
    objectness: Part | None = None
    quality: Part | None = None
    grids: list[Grid] = []
    priors: list[tuple[float, float, float, float]] = []
    coding: BoxCoding | None = None
    label: _Count | None = None


class Suppression(Struct, frozen=True, kw_only=True):
    """Which of several boxes over one thing stays.

    Attributes:
        method: ``hard`` drops every box that overlaps a better one; ``soft`` lowers its score
            (Bodla et al., "Soft-NMS", 2017, Gaussian); ``weighted`` drops as ``hard`` does, and the
            box that stays becomes the mean of itself and those it drops, weighted by their scores, as in
            MediaPipe; ``merge`` makes boxes that touch one around them all, as Edge Impulse's FOMO does
            with neighbouring cells; ``none``.
        iou_threshold: ``hard``, ``weighted``: how much overlap (intersection over union) is too much.
        sigma: ``soft``: the smaller, the more an overlap costs.
        by_class: Boxes of different classes leave each other alone.
    """

    method: Literal["hard", "soft", "weighted", "merge", "none"] = "hard"
    iou_threshold: _Share = 0.45
    sigma: _Positive = 0.5
    by_class: bool = True


class CandidateBoxes(Struct, frozen=True, kw_only=True, tag="candidate_boxes", tag_field="decoder"):
    """The network's own numbers.

    ``score = objectness ** objectness_power * class ** class_power * quality ** quality_power``, each after
    its activation; what a scale does not have is 1.

    Attributes:
        role: What it means.
        scales: Where the numbers stand.
        coding: What the four numbers of a box mean.
        class_activation: Applied to the class scores; ``none`` where the model did.
        background: Whether the first or last class stands for nothing there; it is left out.
        objectness_activation: Applied to the objectness.
        quality_activation: Applied to the quality.
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
    scales: Annotated[list[Scale], Meta(min_length=1, max_length=128)]
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
    quality_activation: Literal["none", "sigmoid"] = "none"
    quality_power: _Positive = 1.0


class DetectionTensors(Struct, frozen=True, kw_only=True, tag="detection_tensors", tag_field="decoder"):
    """Finished boxes in several tensors, as TFLite's detection postprocessing gives them.

    Attributes:
        role: What it means.
        boxes, classes, scores, count: Names of the tensors. ``count`` may be ``""`` where the model
            gives none: then rows with a score below ``least_score`` are empty. ``scores`` may name the
            tensor of boxes: then it is the fifth number of a row. ``classes`` may be ``""`` where there is
            one label.
        coding: What the four numbers of a box mean.
        first_class: The class number of the first label; 1 where 0 is the background.
        unread: So many numbers of a row of ``boxes`` stand behind those that are read. None, in manifests
            before 1.3: any number may.
    """

    role: Literal["detections"] = "detections"
    boxes: str
    classes: str = ""
    scores: str
    count: str = ""
    coding: DirectCoding = DirectCoding(order="yx", units="shares")
    first_class: _Count = 0
    least_score: _Share = 0.05
    most: Annotated[int, Meta(ge=1, le=10_000)] = 300
    suppression: Suppression = Suppression(method="none")
    unread: _Count | None = None


class DetectionRows(Struct, frozen=True, kw_only=True, tag="detection_rows", tag_field="decoder"):
    """Finished boxes in one tensor, a row each: ``[x1, y1, x2, y2, score, class]`` or another order.

    Attributes:
        role: What it means.
        tensor: Name of the output, or ``""`` for the model's only output.
        box_column, score_column, class_column: Where in a row they stand, from 0.
        coding: What the four numbers of a box mean.
        first_class: The class number of the first label; 1 where 0 is the background.
        one_class: There is one label, and no number of a row says so: ``class_column`` is not read.
        picture_column: Where a row says which picture of the batch it is of; -1 ends the list, as in Caffe
            and OpenVINO. None where it does not say, or where that is not read.
        unread: So many numbers of a row stand behind the last that is read. None, in manifests before
            1.3: any number may.
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
    one_class: bool = False
    picture_column: _Count | None = None
    unread: _Count | None = None


DetectionOutput: TypeAlias = CandidateBoxes | DetectionTensors | DetectionRows

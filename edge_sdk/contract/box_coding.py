"""What the numbers of one box mean: the formulas that lead from a candidate's numbers to its corners.

Each coding has a device's decoder in :mod:`edge_sdk.decode.box_coding`.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

__all__ = [
    "BoxCoding",
    "BoxForm",
    "CellCoding",
    "CornerCoding",
    "DirectCoding",
    "DistanceCoding",
    "OffsetCoding",
]

BoxForm: TypeAlias = Literal["corners", "center_size", "corner_size"]
"""``[x1, y1, x2, y2]``, ``[center x, center y, width, height]`` or ``[x1, y1, width, height]``."""

_Factor: TypeAlias = Annotated[float, Meta(gt=0.0, le=1e6)]  # JSON has no infinity


class DirectCoding(Struct, frozen=True, kw_only=True, tag="direct", tag_field="coding"):
    """The numbers are the box.

    ::

        position = (scale * activation(x) + offset) * unit
        size     =  scale * activation(w)           * unit

    Attributes:
        form: What the four numbers are.
        order: ``yx`` where each pair begins with y, as in TensorFlow; ``xx`` or ``yy`` where both numbers of
            one direction come before those of the other, as in ``[x1, x2, y1, y2]``.
        units: What 1 means: one of the ``pixels`` of the input, or ``shares``: its width, its height.
        activation: Applied to each number: sigmoid where a DETR ends in its logits.
        scale: A factor of every number. With shares, 0.001 reads numbers of 0 to 1000, 0.5 numbers of -1
            to 1.
        scale_y: Instead of ``scale`` for y and heights, where it is another: with shares, 1 / 640 and
            1 / 480 read pixels of a picture of 640 x 480.
        offset: Added to positions, not to sizes: 0.5 for numbers of -1 to 1.
    """

    form: BoxForm = "corners"
    order: Literal["xy", "yx", "xx", "yy"] = "xy"
    units: Literal["pixels", "shares"] = "pixels"
    activation: Literal["none", "sigmoid", "tanh"] = "none"
    scale: _Factor = 1.0
    scale_y: _Factor | None = None
    offset: float = 0.0


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
    size_activation: Literal["none", "exp", "sigmoid", "softplus"] = "exp"
    size_factor: float = 1.0
    size_scale: float = 1.0
    size_power: float = 1.0
    size_unit: Literal["cell", "anchor", "input", "pixel"] = "cell"


class CornerCoding(Struct, frozen=True, kw_only=True, tag="corner_offset", tag_field="coding"):
    """The numbers are offsets of the two corners from those of an anchor.

    ``corner = anchor's corner + scale * x * unit``, as MTCNN's P-Net and Caffe's SSD with the code type
    ``CORNER`` have it.

    Attributes:
        order: ``yx`` where each pair begins with y.
        center_offset: Where in its cell the anchor's middle is, in cells.
        scale: A factor of every number.
        unit: What 1 means: the ``anchor``, the ``cell``, the ``input``, or one ``pixel``.
    """

    order: Literal["xy", "yx"] = "xy"
    center_offset: float = 0.5
    scale: _Factor = 1.0
    unit: Literal["anchor", "cell", "input", "pixel"] = "anchor"


class DistanceCoding(Struct, frozen=True, kw_only=True, tag="distance", tag_field="coding"):
    """The numbers are distances from a point of the cell to the edges: ``scale * activation(x) * unit``.

    Attributes:
        center_offset: The point in its cell, in cells. A prior's point is its center.
        bins: Where above 1, each distance is a distribution over 0, 1, ... bins - 1 (softmax, then
            its mean), as in Li et al., "Generalized Focal Loss", 2020.
        activation: Applied to each distance where it is one number.
        unit: What 1 means: the ``cell``, the ``anchor``, the ``input``, or one ``pixel``.
        order: Which edge comes first, second, third and last: left, top, right, bottom.
        scale: A factor of every distance.
    """

    center_offset: float = 0.5
    bins: Annotated[int, Meta(ge=1, le=256)] = 1
    activation: Literal["none", "exp", "relu", "sigmoid", "softplus"] = "none"
    unit: Literal["cell", "anchor", "input", "pixel"] = "cell"
    order: Literal["ltrb", "tlbr", "tblr", "lrtb"] = "ltrb"
    scale: _Factor = 1.0


class CellCoding(Struct, frozen=True, kw_only=True, tag="cell", tag_field="coding"):
    """There are no numbers: the box is the cell, as in Edge Impulse's FOMO, which only says where.

    Attributes:
        scale: Side of the box in cells, around the middle of its cell.
    """

    scale: _Factor = 1.0


BoxCoding: TypeAlias = DirectCoding | OffsetCoding | CornerCoding | DistanceCoding | CellCoding

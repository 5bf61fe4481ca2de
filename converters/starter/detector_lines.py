"""``[detector]`` of a spec to begin with: which known heads the outputs could be of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.values import TensorSpec
from edge_sdk.errors import SpecError

from ..spec.detector_heads import HEADS, head_preset
from .image_lines import picture_of
from .lines import Lines, fill_in, known
from .signature import Signature

__all__ = ["detector_lines"]

_MOST_LABELS = 100
_MORE_LABELS = (365, 600, 1203)  # Objects365, Open Images, LVIS
_ANY = 10
"""A head that so many numbers of labels fit says nothing about how many there are."""


def detector_lines(signature: Signature, taken: TensorSpec) -> Lines:
    """How outputs become boxes; the head is left to a person, since several may have outputs of one shape."""
    fitting = list(_fitting(signature.outputs, taken))
    if fitting:
        said = [
            "# Of the known heads these have outputs of such shapes:",
            *(f"#   {line}" for line in fitting),
        ]
    else:
        said = [
            "# No known head has outputs of such shapes: describe it in full, docs/explanation/detectors.md"
        ]
    return [
        "[detector]",
        *said,
        fill_in("head", "the one that it has; docs/reference/spec.md" if fitting else "or decoder, instead"),
        "",
        "[default_rule]",
        known("threshold", 0.5, "what a box's score must reach; `evaluate` shows what that gives"),
    ]


def _fitting(outputs: Sequence[TensorSpec], taken: TensorSpec) -> Iterator[str]:
    picture = picture_of(taken)
    if picture is None or picture.width is None or picture.height is None:
        return
    image = ImageInput(width=picture.width, height=picture.height)
    for head in HEADS:
        counts = [n for n in (*range(1, _MOST_LABELS + 1), *_MORE_LABELS) if _fits(head, image, n, outputs)]
        if len(counts) >= _ANY:
            yield f"{head}, whatever the number of labels"
        elif counts:
            yield f"{head} with {' or '.join(map(str, counts))} label{'s' if counts != [1] else ''}"


def _fits(head: str, image: ImageInput, labels: int, outputs: Sequence[TensorSpec]) -> bool:
    try:
        head_preset(head, image, labels, outputs)
    except SpecError:
        return False
    return True

"""Golden samples: raw inputs, and what a model answered to them where it was proved."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from .identifiers import LabelId, MemberName, Score

__all__ = ["MOST_BOUND", "ExpectedScores", "Golden"]

MOST_BOUND = 0.2
"""Beyond it a golden sample tells little: exchanged labels and other mistakes move scores by tenths."""


class Golden(Struct, frozen=True, kw_only=True):
    """Raw inputs with known answers: a device that answers otherwise must not be believed.

    Attributes:
        inputs: ``.npy``: sound at the model's rate, float32, shape ``[n, window_samples]``, or
            pictures of another size than the model's, uint8, shape ``[n, height, width, 3]``, BGR;
            so that front end and preparation are under test too.
        expected: ``.npy``, float32: what the float source answers, in the form of
            :class:`ExpectedScores`.
        label_ids: The columns of both, so that swapped labels are found.
    """

    inputs: MemberName
    expected: MemberName
    label_ids: list[LabelId]


class ExpectedScores(Struct, frozen=True, kw_only=True):
    """What one variant answers to the golden inputs.

    Attributes:
        file: ``.npy``, float32, under reference kernels, or where these are wrong under those that
            the variant was judged with: scores, shape ``[n, labels]``; for a detector the boxes of
            all samples, shape ``[boxes, 7]``, a row each: sample, label (both counted from 0),
            score, and ``x1, y1, x2, y2`` in pixels of the golden picture.
        bound: Largest absolute difference of a score a healthy device may show, measured by the
            converter over at least two sets of kernels; more than 0.2 counts as 0.2.
        least_iou: Detectors, where it is needed: how much a healthy device's box must overlap the
            expected one, above 0.
    """

    file: MemberName
    bound: Annotated[float, Meta(ge=0.0, le=1.0)]
    least_iou: Score | None = None

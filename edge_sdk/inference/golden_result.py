"""What came of running golden samples on a machine."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Flip", "GoldenResult"]


@dataclass(frozen=True, slots=True)
class Flip:
    """A decision that came out otherwise, though the expected score is far from the threshold.

    Attributes:
        sample: Row of the golden inputs, from 0.
        expected, score: For a detector 0 where there is no such box.
    """

    sample: int
    label_id: str
    threshold: float
    expected: float
    score: float


@dataclass(frozen=True, slots=True)
class GoldenResult:
    """Outcome of the golden samples for one variant on this machine.

    Attributes:
        variant: Which variant was run.
        passed: No score is off by more than ``bound``, no decision flipped, no label moved.
        n: Number of samples.
        max_abs_difference: Largest difference of a score to its expected value.
        bound: Largest difference that a healthy machine may show.
        worst_sample: Row with the largest difference, from 0.
        worst_label_id: Label with the largest difference.
        tensor: Output of the model that the scores were read from; several, where boxes were.
        flipped: Decisions at threshold that differ, where the margin exceeds the bound.
        labels_reordered: The model file itself lists the manifest's labels in another order.
        lowest_iou: Detectors: the least overlap of a box with the one that was expected.
    """

    variant: str
    passed: bool
    n: int
    max_abs_difference: float
    bound: float
    worst_sample: int
    worst_label_id: str
    tensor: str
    flipped: tuple[Flip, ...]
    labels_reordered: bool = False
    lowest_iou: float | None = None

"""What came of running golden samples on a machine."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Flip", "GoldenResult"]


@dataclass(frozen=True, slots=True)
class Flip:
    """A decision that came out otherwise, though the expected score is far from the threshold.

    Attributes:
        sample: Row of the golden inputs, from 0.
        threshold: None where the highest label counts, whatever its score.
        expected, score: For a detector 0 where there is no such box.
        instead: Where the highest label counts: which one is the highest here.
        best_iou: Of an expected box that is missing: its largest overlap with a box of that label that was
            found; 0 where there is none.
    """

    sample: int
    label_id: str
    threshold: float | None
    expected: float
    score: float
    instead: str | None = None
    best_iou: float | None = None

    def __str__(self) -> str:
        where = f"sample {self.sample}, label '{self.label_id}'"
        if self.instead is not None:
            return f"{where}: '{self.instead}' is the highest here ({self.score:.4f} for {self.expected:.4f})"
        if self.best_iou is not None:
            missing = f"the box of {self.expected:.4f} is not there (threshold {self.threshold:g})"
            return f"{where}: {missing}, the best of that label overlaps it by {self.best_iou:.3f}"
        return f"{where}: {self.score:.4f} for {self.expected:.4f} (threshold {self.threshold:g})"


@dataclass(frozen=True, slots=True)
class GoldenResult:
    """Outcome of the golden samples for one variant on this machine.

    Attributes:
        variant: Which variant was run.
        passed: No score is off by more than ``bound``, no decision flipped, no label moved.
        n: Number of samples.
        max_abs_difference: Largest difference of a score to its expected value; for a detector, of boxes
            that overlap the expected one by ``least_iou``.
        bound: Largest difference that a healthy machine may show.
        worst_sample: Row with the largest difference, from 0.
        worst_label_id: Label with the largest difference.
        tensor: Output of the model that the scores were read from; several, where boxes were.
        flipped: Decisions that differ, where the margin exceeds the bound.
        labels_reordered: The model file itself lists the manifest's labels in another order.
        lowest_iou: Detectors: the least overlap of a box with the one that was expected.
        least_iou: Detectors: the least that a healthy machine may show.
        n_tied: Detectors: expected boxes that suppression dropped for another one of nearly the same score.
            They are not among ``flipped``.
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
    least_iou: float | None = None
    n_tied: int = 0

    @property
    def ties(self) -> str:
        """What was excused; empty where nothing was."""
        boxes = "box" if self.n_tied == 1 else "boxes"
        return f"{self.n_tied} expected {boxes} lost to another of nearly one score" if self.n_tied else ""

    @property
    def difference(self) -> str:
        """What is off, where it did not pass: a line, and one for each decision that differs."""
        if self.labels_reordered:
            return "the model file lists the labels in another order than the manifest"
        flips = [f"decision differs at {flip}" for flip in self.flipped]
        if self.least_iou is not None and self.flipped and self.max_abs_difference <= self.bound:
            needed = f"boxes of tensor '{self.tensor}' must overlap the expected ones by {self.least_iou:g}"
            return "\n".join([f"{flips[0]}; {needed}", *flips[1:]])
        worst = (
            f"sample {self.worst_sample}, label '{self.worst_label_id}', tensor '{self.tensor}': off by "
            f"{self.max_abs_difference:.6f}, allowed {self.bound:.6f}"
        )
        return "\n".join([worst, *flips])

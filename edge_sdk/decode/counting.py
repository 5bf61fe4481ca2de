"""What counts as seen in a picture: one rule for whoever shows, tells or judges it.

- A bundle with rules: a label counts from its rule's threshold; one without a rule never does.
- A classifier without rules whose labels exclude each other: the highest label counts.
- Any other classifier without rules: each label counts from :data:`DEFAULT_THRESHOLD`.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..contract.manifest import ClassesOutput, Manifest

__all__ = ["DEFAULT_THRESHOLD", "Counting", "counting_of"]

DEFAULT_THRESHOLD = 0.5
_NEVER = 2.0  # no score reaches it


@dataclass(frozen=True, slots=True)
class Counting:
    """The rule of one bundle.

    Attributes:
        highest: The highest label counts, whatever its score, and no other.
        thresholds: Else: what a score must reach, by label id; a label that is not there never counts.
    """

    highest: bool
    thresholds: dict[str, float]

    def threshold(self, label_id: str) -> float:
        """What a score of that label must reach; more than any score where it never counts."""
        return 0.0 if self.highest else self.thresholds.get(label_id, _NEVER)

    def text(self, label_id: str) -> str:
        """For a table: the threshold; ``highest``; or ``-`` for a label that never counts."""
        if self.highest:
            return "highest"
        return f"{self.thresholds[label_id]:g}" if label_id in self.thresholds else "-"

    def sentence(self) -> str:
        """For one line: what counts."""
        if self.highest:
            return "the highest label counts"
        values = sorted(set(self.thresholds.values()))
        if len(values) == 1:
            return f"counts from {values[0]:g}"
        return (
            f"counts from each label's threshold, {values[0]:g} to {values[-1]:g}"
            if values
            else "none counts"
        )


def counting_of(manifest: Manifest, threshold: float | None = None) -> Counting:
    """The rule of a bundle that looks at pictures.

    Args:
        manifest: The bundle's.
        threshold: For all labels, instead of the bundle's own rule.
    """
    if threshold is not None:
        return Counting(highest=False, thresholds=dict.fromkeys(manifest.label_ids, threshold))
    if manifest.thresholds:
        return Counting(highest=False, thresholds=manifest.thresholds)
    output = manifest.outputs[0]
    if isinstance(output, ClassesOutput) and output.exclusive:
        return Counting(highest=True, thresholds={})
    return Counting(highest=False, thresholds=dict.fromkeys(manifest.label_ids, DEFAULT_THRESHOLD))

"""Are things called by each other's names? The boxes are also held against true ones by other names."""

from __future__ import annotations

from ..data.picture_set import PictureSet
from .box_reading import Decoded, ReadBoxes, is_large_gain, told_figures, weigh_boxes
from .case import Case
from .exchanged_labels import Exchanged, exchanged_labels
from .weighing import compare

__all__ = ["check_labels"]


def check_labels(case: Case[PictureSet], decoded: Decoded) -> list[str]:
    """Refuse labels by which things are found and called by each other's names.

    To be asked last: exchanged colours can look like exchanged labels.

    Args:
        case: The model and its spec.
        decoded: What it finds in some pictures.

    Returns:
        What is likely but not sure, for the report.

    Raises:
        SpecError: Other labels are clearly better, and that is not accepted.
    """
    pictures, spec = decoded.pictures, decoded.read
    exchanged = exchanged_labels(pictures, spec.found)
    if exchanged is None:
        return []
    other = weigh_boxes(pictures, exchanged.relabelled(spec.found), case.spec.thresholds)
    sure = _are_exchanged(exchanged, spec, other)
    finding = f"{exchanged.told()}; named so {told_figures(other)}, as the spec says {told_figures(spec)}"
    if sure:
        case.acceptance.take({"labels": finding}, exchanged.hint())
    return [f"labels may be exchanged: {finding}"] if sure is False else []


def _are_exchanged(exchanged: Exchanged, spec: ReadBoxes, other: ReadBoxes) -> bool | None:
    """Whether labels are surely exchanged; None where that is not even likely.

    A model that cannot tell two kinds from each other calls one by the other's name, time and again: that
    is no chance, so no test rules it out. Several labels that stand for others at once are no weakness.
    """
    compared = compare(spec.weighed, other.weighed, tried=1)
    if len(exchanged.meant) > 1 and compared.is_sure(resize=False):
        return True
    return False if compared.is_likely or is_large_gain(spec, other, compared) else None

"""What is found out about one form of a model on the evaluation set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from edge_sdk.contract.manifest import Metric

from ..report.confusion import ConfusionMatrix
from ..report.report_file import LabelFigures, Moved

__all__ = ["MOST_NAMED", "ROUNDING", "SOURCE", "Judged", "Verdict"]

SOURCE = "float source"
"""Under this name a trial runs the trained model itself."""

MOST_NAMED = 5
"""Samples that are named where a variant is furthest from the float source."""

ROUNDING = 1e-9
"""0.34 - 0.33 is a little more than 0.01 in binary."""


@dataclass(frozen=True)
class Judged:
    """The figures of one model on the evaluation set.

    Attributes:
        metric: The one that the gate looks at.
        labels: By label.
        more: Further figures, for the report alone.
        confusion: Which label is taken for which, where labels exclude each other.
        drawn: The figures of labels in drawn sets, the same ones for every model, where a drop can be
            chance: see :mod:`.resampled_precision`.
    """

    metric: Metric
    labels: Sequence[LabelFigures]
    more: list[Metric] = field(default_factory=list)
    confusion: ConfusionMatrix | None = None
    drawn: Mapping[str, npt.NDArray[np.float64]] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """What the gate says about one variant.

    Attributes:
        refusal: Why it may not be used; empty where it may.
        drop: Of the metric; negative where the variant is better.
        agreement: Share of samples (of a detector, of boxes) decided as the float source does.
        max_abs_difference: Of a score.
        worst_label: The label that lost most.
        worst_label_drop: How much.
        furthest: Samples where it is furthest from the float source.
    """

    refusal: str
    drop: float
    agreement: float
    max_abs_difference: float
    worst_label: str | None
    worst_label_drop: float | None
    furthest: list[Moved]

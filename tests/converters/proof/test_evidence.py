"""A report says what looks wrong, though every variant agrees with it."""

from __future__ import annotations

import numpy as np

from converters.data.nouns import RECORDINGS
from converters.proof.evidence import never_recognised
from converters.report.report_file import LabelReport, label_report
from edge_sdk.metrics.classification import label_metrics


def reports(found: int, of: int) -> list[LabelReport]:
    """Figures of one label that is decided right in ``found`` of so many samples."""
    truth = np.array([[True]] * of + [[False]] * 5)
    decided = np.array([[index < found] for index in range(of)] + [[False]] * 5)
    (metrics,) = label_metrics(("chainsaw",), truth, decided, decided.astype(np.float32))
    return [label_report(metrics, 0.5)]


def test_a_label_that_the_trained_model_never_recognises_is_told() -> None:
    (warning,) = never_recognised(reports(0, 12), RECORDINGS)
    assert "recognises no recording of chainsaw (0 of 12)" in warning
    assert "in the model's order" in warning


def test_a_label_that_is_sometimes_right_or_hardly_there_is_not() -> None:
    assert never_recognised(reports(1, 12), RECORDINGS) == []
    assert never_recognised(reports(0, 2), RECORDINGS) == []

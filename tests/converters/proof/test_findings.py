"""What of the findings goes into a report that is shipped with the models."""

from __future__ import annotations

import numpy as np
import pytest

from converters.proof.findings import _most_moved, _with_confusion
from converters.proof.verdict import Judged
from converters.report.confusion import confusion_matrix
from converters.report.report_file import LabelReport, VariantReport, label_report
from edge_sdk.contract.manifest import Metric
from edge_sdk.metrics.classification import label_metrics

METRIC = Metric(name="accuracy", value=0.5, n=8, low=0.1, high=0.9)


def labels(n: int, wrong: int) -> list[LabelReport]:
    """So many labels, of which one is never right."""
    truth = np.ones((4, n), dtype=np.bool_)
    decided = truth.copy()
    decided[:, wrong] = False
    ids = tuple(f"label_{number}" for number in range(n))
    return [
        label_report(item, 0.5) for item in label_metrics(ids, truth, decided, decided.astype(np.float32))
    ]


def test_of_very_many_labels_those_of_a_variant_are_kept_that_lost_most() -> None:
    source, variant = labels(150, 3), labels(150, 120)
    kept = [item.label for item in _most_moved(variant, source)]
    assert len(kept) == 100
    assert "label_120" in kept
    assert kept == sorted(kept, key=lambda name: int(name.removeprefix("label_")))
    assert len(_most_moved(labels(100, 3), source)) == 100


@pytest.mark.parametrize(("n", "whole"), [(30, True), (31, False)])
def test_of_many_labels_the_most_frequent_mistakes_are_kept(n: int, whole: bool) -> None:  # noqa: FBT001
    true = np.arange(n)
    matrix = confusion_matrix([f"label_{number}" for number in true], true, (true + 1) % n)
    judged = Judged(METRIC, [], confusion=matrix)
    report = _with_confusion(VariantReport(name="x", outcome="passed"), judged)
    assert (report.confusion is not None) is whole
    assert len(report.confused) == 20

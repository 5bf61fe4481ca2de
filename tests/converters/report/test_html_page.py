"""The page that people read: what was refused and why, and which recordings moved."""

from __future__ import annotations

import re

import numpy as np
import pytest
from msgspec import structs

from converters.report.confusion import confusion_matrix, most_confused
from converters.report.html_page import render_report
from converters.report.report_file import (
    EvaluationSummary,
    LabelReport,
    Moved,
    Report,
    ShareReport,
    VariantReport,
)
from edge_sdk.contract.manifest import Metric, Provenance, SourceFile

METRIC = Metric(name="exact_match", value=0.75, n=4, low=0.19, high=0.99)
FILE = SourceFile(name="m.keras", sha256="0" * 64)


def note(clip: str, source_score: float, score: float, *, flipped: bool = False) -> Moved:
    return Moved(
        sample=clip, label="saw", source_score=source_score, score=score, threshold=0.5, flipped=flipped
    )


@pytest.fixture
def report() -> Report:
    whole = ShareReport(value=0.75, hits=3, n=4, low=0.19, high=0.99)
    none = ShareReport(value=None, hits=0, n=0, low=0.0, high=1.0)
    label = LabelReport(
        label="saw",
        threshold=0.5,
        recall=whole,
        specificity=whole,
        precision=none,
        balanced_accuracy=0.75,
        auc=None,
        auc_low=None,
        auc_high=None,
    )
    clips = [note("saw/a.wav", 0.9, 0.2, flipped=True), note("saw/b.wav", 0.90001, 0.9)]
    return Report(
        name="buzz",
        version="1.0.0",
        metric_meaning="what it means",
        max_drop=0.01,
        evaluation=EvaluationSummary(
            clips=4,
            windows=8,
            hours=0.1,
            clips_by_label={"saw": 4},
            background_clips=0,
            labels_without_clips=[],
        ),
        source=VariantReport(name="float source", outcome="passed", metric=METRIC, labels=[label]),
        variants=[
            VariantReport(name="tflite-int8", outcome="refused", reason="<too> bad", furthest=clips),
            VariantReport(name="onnx-float32", outcome="left_out", reason="no such operation"),
        ],
        golden_samples=["saw/a.wav at 0 s"],
        warnings=[],
        provenance=Provenance(source_models=[FILE], calibration=None, evaluation=FILE, libraries={}),
    )


def test_what_is_not_in_the_bundle_stands_there_with_its_reason(report: Report) -> None:
    page = render_report(report)
    assert "<li>tflite-int8: &lt;too&gt; bad</li>" in page
    assert "<li>onnx-float32: no such operation</li>" in page
    assert "<too>" not in page


def test_a_reason_that_several_variants_share_is_told_once(report: Report) -> None:
    left_out = [
        VariantReport(name=name, outcome="left_out", reason="it is a .tflite", note="as given")
        for name in ("onnx-float32", "onnx-int8")
    ]
    page = render_report(structs.replace(report, variants=left_out))
    assert (
        "<li>onnx-float32, onnx-int8: as given</li><li>onnx-float32, onnx-int8: it is a .tflite</li>" in page
    )


def test_recordings_that_moved_are_shown_and_rounding_is_not(report: Report) -> None:
    page = render_report(report)
    (row,) = re.findall(r"<tr><td>tflite-int8</td><td>saw/a.wav</td>.*?</tr>", page)
    assert "flipped" in row
    assert "saw/b.wav" not in page


def test_a_variant_that_decides_as_the_source_has_no_tables_of_its_own(report: Report) -> None:
    labels, metric = report.source.labels, report.source.metric
    other = [structs.replace(labels[0], recall=structs.replace(labels[0].recall, hits=2))]
    alike = VariantReport(name="tflite-float32", outcome="passed", metric=metric, labels=labels)
    worse = VariantReport(name="tflite-int8", outcome="passed", metric=metric, labels=other)
    page = render_report(structs.replace(report, variants=[alike, worse]))
    assert "<summary>tflite-int8</summary>" in page
    assert "<summary>tflite-float32</summary>" not in page
    assert "<p>Each label as by the float source: tflite-float32.</p>" in page


def test_only_what_is_lost_is_told_of_the_worst_label(report: Report) -> None:
    def worst(drop: float) -> str:
        variant = VariantReport(name="x", outcome="passed", worst_label="7", worst_label_drop=drop)
        return render_report(structs.replace(report, variants=[variant]))

    assert "7 +0.0250" in worst(0.025)
    assert "7 +0.0000" not in worst(0.0)


def test_numbers_are_told_from_labels_that_are_digits(report: Report) -> None:
    evaluation = structs.replace(report.evaluation, clips_by_label={"0": 40, "1": 39})
    assert "0: 40, 1: 39, background: 0" in render_report(structs.replace(report, evaluation=evaluation))


def test_layers_that_stayed_in_float_are_named(report: Report) -> None:
    variant = structs.replace(report.variants[0], float_layers=["conv/1", "dense/2"])
    page = render_report(structs.replace(report, variants=[variant]))
    assert "tflite-int8: layers in float</summary><ul><li>conv/1</li><li>dense/2</li></ul>" in page


def test_where_nothing_moved_it_says_so(report: Report) -> None:
    variant = structs.replace(report.variants[0], furthest=[note("saw/b.wav", 0.90001, 0.9)])
    page = render_report(structs.replace(report, variants=[variant]))
    assert "No score of a recording moved by 0.005 or more" in page


def test_it_follows_the_readers_choice_of_light_or_dark(report: Report) -> None:
    style = render_report(report).partition("</style>")[0]
    light, dark = style.split("@media(prefers-color-scheme:dark)")
    names = [set(re.findall(r"(--\w+):#", half)) for half in (light, dark)]
    assert names[0] == names[1] == set(re.findall(r"var\((--\w+)\)", style))


def test_a_confusion_matrix_is_shown_and_of_many_labels_the_mistakes(report: Report) -> None:
    matrix = confusion_matrix(("saw", "shot"), np.array([0, 0, 1]), np.array([0, 1, 1]))
    confused = most_confused(matrix, 5)
    small = structs.replace(report.source, confusion=matrix, confused=confused)
    page = render_report(structs.replace(report, source=small))
    assert '<tr><td>saw</td><td class="n">1</td><td class="n">1</td></tr>' in page
    assert "most frequent mistakes" not in page
    page = render_report(structs.replace(report, source=structs.replace(small, confusion=None)))
    assert '<tr><td>saw</td><td>shot</td><td class="n">1</td></tr>' in page


def test_every_cell_stands_under_a_heading(report: Report) -> None:
    for table in re.findall(r"<table>(.*?)</table>", render_report(report), re.DOTALL):
        widths = {len(re.findall(r"<t[hd][ >]", row)) for row in table.split("</tr>") if "<tr>" in row}
        assert len(widths) == 1


def test_where_the_highest_label_counts_no_threshold_is_made_up(report: Report) -> None:
    source = structs.replace(
        report.source, labels=[structs.replace(label, threshold=None) for label in report.source.labels]
    )
    page = render_report(structs.replace(report, source=source))
    assert page.count('<td class="n">highest</td>') == len(source.labels) > 0
    assert "highest</td>" not in render_report(report)

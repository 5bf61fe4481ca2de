"""What a conversion shows in a terminal fits it, and says each thing once."""

from __future__ import annotations

from msgspec import structs

from converters.report.report_file import Latency, PictureSummary, Report, VariantReport
from converters.report.terminal_table import report_table
from edge_sdk.contract.manifest import Metric, Provenance, SourceFile

WIDTH = 80
METRIC = Metric(name="exact_match", value=0.8525, n=400, low=0.814, high=0.886)
TOP5 = Metric(name="top5", value=0.99, n=400)


def variant(name: str, **further: object) -> VariantReport:
    figures = {"metric": METRIC, "more_metrics": [TOP5], "drop": 0.0, "agreement": 1.0, "bytes": 16_123_456}
    values = {"outcome": "passed", "max_abs_difference": 1e-3} | figures | further
    return VariantReport(name=name, **values)  # type: ignore[arg-type]


def report(*variants: VariantReport) -> Report:
    return Report(
        name="x",
        version="1.0.0",
        metric_meaning="",
        max_drop=0.01,
        evaluation=PictureSummary(
            pictures=400, pictures_by_label={}, background_pictures=0, labels_without_pictures=[]
        ),
        source=VariantReport(name="float source", outcome="passed", metric=METRIC, more_metrics=[TOP5]),
        variants=list(variants),
        golden_samples=[],
        warnings=[],
        provenance=Provenance(
            source_models=[], evaluation=SourceFile(name="e", sha256="0" * 64), libraries={}
        ),
    )


def test_the_table_fits_a_terminal() -> None:
    names = ["tflite-float32", "tflite-int16x8", "onnx-float16"]
    times = [Latency(variant=name, median_ms=12.34, p95_ms=1.0, n=10) for name in names]
    lines = report_table(report(*map(variant, names)), times).splitlines()
    table = lines[: 3 + len(names)]
    figures = ["0.8525", "+0.0000", "1.0000", "1.0e-03", "16123", "12.34"]
    assert table[-1].split() == ["onnx-float16", *figures, "passed"]
    assert max(map(len, table)) <= WIDTH


def test_how_much_the_figures_rest_on_is_told_once() -> None:
    text = report_table(report(variant("tflite-int8")))
    told = "exact_match of 400 pictures; float source: 95 % interval 0.814 to 0.886, top5 0.9900"
    assert text.splitlines()[-1] == told
    assert text.count("400") == 1


def test_a_further_metric_that_a_variant_loses_more_of_than_allowed_is_told() -> None:
    """The gate does not judge it: a detector whose boxes lie worse may pass by its map50."""

    def detector(name: str, map50_95: float, **further: object) -> VariantReport:
        metric, more = Metric(name="map50", value=0.65, n=50), Metric(name="map50_95", value=map50_95, n=50)
        return variant(name, metric=metric, more_metrics=[more], **further)

    variants = [
        detector("tflite-float32", 0.41),
        detector("tflite-float16", 0.39),
        detector("tflite-int16x8", 0.21),
        detector("onnx-int8", 0.389, outcome="refused", reason="'cat' drops"),
    ]
    made = structs.replace(report(*variants), source=detector("float source", 0.4))
    lines = report_table(made).splitlines()
    assert [line for line in lines if "map50_95" in line] == [
        "map50 of 50 pictures; float source: map50_95 0.4000",
        "tflite-int16x8: map50_95 drops by 0.1900 to 0.2100; the gate does not judge it",
        "onnx-int8: map50_95 drops by 0.0110 to 0.3890; the gate does not judge it",
    ]
    assert max(map(len, lines)) <= WIDTH


def test_the_source_has_no_outcome() -> None:
    """It is what the others are held against."""
    assert report_table(report()).splitlines()[2].split() == ["float", "source", "0.8525"]


def test_what_was_left_out_has_a_line_and_no_row() -> None:
    absent = [VariantReport(name=name, outcome="left_out", reason="no") for name in ("onnx-int8", "onnx")]
    alone = VariantReport(name="tflite", outcome="left_out", reason="it is none")
    lines = report_table(report(variant("tflite-int8"), *absent, alone)).splitlines()
    assert [line for line in lines if line.startswith(("onnx", "tflite:", "tflite "))] == [
        "onnx-int8, onnx: left out: no",
        "tflite: left out: it is none",
    ]

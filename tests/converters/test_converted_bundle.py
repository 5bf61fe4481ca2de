"""One conversion of a Keras model with every variant, seen from all sides."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from conversions import ALL_VARIANTS, report_of
from labelled_sounds import LABELS, WINDOW
from msgspec import structs

from converters import convert
from edge_sdk.contract.audio import LogMel
from edge_sdk.contract.bundle import Bundle
from edge_sdk.inference.golden import run_golden
from edge_sdk.inference.open import open_backend


@pytest.fixture(scope="module")
def bundle(workplace: Any, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return convert(
        workplace.model,
        spec=workplace.spec,
        calibration=workplace.calibration,
        evaluation=workplace.evaluation,
        output=tmp_path_factory.mktemp("converted") / "buzz-and-bang-1.0.0.edge",
        variants=ALL_VARIANTS,
    )


def test_every_variant_is_in_the_bundle_with_its_proof(bundle: Bundle) -> None:
    assert {variant.name for variant in bundle.manifest.variants} == set(ALL_VARIANTS)
    assert set(bundle.manifest.stages[0].variants) == set(ALL_VARIANTS)
    for variant in bundle.manifest.variants:
        assert variant.metric.name == "exact_match"
        assert variant.metric.n == 24
        assert variant.metric.low is not None
        assert variant.metric.high is not None
        assert variant.metric.low <= variant.metric.value <= variant.metric.high
        assert variant.metric.value > 0.8
        assert variant.drop <= 0.01


def test_float_variants_equal_the_keras_model(bundle: Bundle) -> None:
    for name in ("tflite-float32", "onnx-float32"):
        assert bundle.manifest.variant(name).max_abs_difference < 1e-5
        assert bundle.manifest.variant(name).agreement == 1.0


def test_smaller_precision_makes_smaller_files(bundle: Bundle) -> None:
    sizes = {variant.name: variant.bytes for variant in bundle.manifest.variants}
    assert sizes["tflite-int8"] < sizes["tflite-float16"] < sizes["tflite-float32"]


def test_int8_takes_and_gives_float_and_its_scores_are_no_steps_of_a_256th(bundle: Bundle) -> None:
    variant = bundle.manifest.variant("tflite-int8")
    with open_backend(bundle.read(variant.file), "tflite") as backend:
        assert backend.inputs[0].dtype == backend.outputs[0].dtype == "float32"
    scores = np.load(_stream(bundle.read(variant.golden.file)))
    assert np.abs(scores * 256 - np.round(scores * 256)).max() > 0.05


@pytest.mark.parametrize("name", ALL_VARIANTS)
@pytest.mark.parametrize("reference", [True, False])
def test_golden_samples_pass_on_every_kernel_set(bundle: Bundle, name: str, reference: bool) -> None:  # noqa: FBT001
    result = _golden(bundle, name, reference=reference)
    assert result.passed
    assert result.n >= 8


def test_golden_inputs_hold_every_label_and_background(bundle: Bundle) -> None:
    expected = np.load(_stream(bundle.read(bundle.manifest.golden.expected)))
    inputs = np.load(_stream(bundle.read(bundle.manifest.golden.inputs)))
    assert inputs.shape == (len(expected), WINDOW)
    assert expected.shape[1] == len(LABELS)
    assert (expected.max(axis=0) > 0.8).all()
    assert expected.max(axis=1).min() < 0.2


@pytest.mark.parametrize("name", ALL_VARIANTS)
def test_exchanged_labels_fail_the_golden_samples(bundle: Bundle, name: str) -> None:
    class Swapped:
        """The model with its outputs exchanged."""

        def __init__(self) -> None:
            variant = bundle.manifest.variant(name)
            self.inner = open_backend(bundle.read(variant.file), variant.format)
            self.inputs, self.outputs, self.close = self.inner.inputs, self.inner.outputs, self.inner.close

        def infer(self, tensors: Any) -> Any:
            return {key: value[..., ::-1] for key, value in self.inner.infer(tensors).items()}

    assert not run_golden(bundle, name, Swapped()).passed  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"mean": 0.0},
        {"std": 10.0},
        {"mel_scale": "htk"},
        {"db_ref": "max"},
        {"power": 1.0},
        {"fmin_hz": 500.0},
    ],
)
def test_another_front_end_fails_the_golden_samples(bundle: Bundle, change: dict[str, Any]) -> None:
    front_end = bundle.manifest.audio.front_end
    assert isinstance(front_end, LogMel)
    audio = structs.replace(bundle.manifest.audio, front_end=structs.replace(front_end, **change))
    changed = structs.replace(bundle.manifest, inputs=[audio])
    members = {name: bundle.read(name) for name in bundle.manifest.files}
    assert not _golden(Bundle(bundle.path, changed, bundle.sha256, members), "tflite-float32").passed


def test_the_report_says_what_was_proved(bundle: Bundle) -> None:
    report = report_of(bundle)
    assert [variant["name"] for variant in report["variants"]] == list(ALL_VARIANTS)
    assert {variant["outcome"] for variant in report["variants"]} == {"passed"}
    assert report["evaluation"]["clips_by_label"] == {"saw": 8, "shot": 8}
    assert report["evaluation"]["background_clips"] == 8
    assert [label["label"] for label in report["source"]["labels"]] == list(LABELS)
    assert report["variants"][3]["worst_label"] in LABELS
    assert len(report["variants"][3]["furthest"]) == 5
    assert "few recordings, so wide intervals: saw (8), shot (8)" in report["warnings"]


def test_the_report_names_the_layers_that_the_mixed_variant_keeps_in_float(bundle: Bundle) -> None:
    variants = {variant["name"]: variant for variant in report_of(bundle)["variants"]}
    assert 0 < len(variants["tflite-mixed"]["float_layers"]) < 3
    note = variants["tflite-mixed"]["note"]
    assert "of 3 layers in float" in note
    assert note in bundle.read("report.html").decode()
    assert variants["tflite-int8"]["float_layers"] == []
    assert bundle.manifest.variant("tflite-mixed").precision == "mixed"


def test_the_page_is_complete_in_itself_and_has_no_date(bundle: Bundle) -> None:
    page = bundle.read("report.html").decode()
    assert "<svg" in page
    for variant in ALL_VARIANTS:
        assert variant in page
    assert not re.search(r"https?://|<script|src=|href=", page)
    assert not re.search(r"20\d\d-\d\d-\d\d", page)


def test_what_was_timed_stands_beside_the_bundle_and_not_in_it(bundle: Bundle) -> None:
    measured = json.loads((bundle.path.parent / "buzz-and-bang-1.0.0.measured.json").read_bytes())
    assert measured["bundle_sha256"] == bundle.sha256
    assert {item["variant"] for item in measured["latency"]} == set(ALL_VARIANTS)
    assert all(item["n"] >= 10 and item["median_ms"] > 0 for item in measured["latency"])
    assert b"median_ms" not in bundle.path.read_bytes()


def test_provenance_names_what_went_in_by_content(bundle: Bundle) -> None:
    provenance = bundle.manifest.provenance
    assert [file.name for file in provenance.source_models] == ["buzz.keras"]
    assert provenance.calibration is not None
    assert (provenance.calibration.n, provenance.evaluation.n) == (18, 24)
    assert {"edge-sdk", "numpy", "keras", "ai-edge-litert", "onnxruntime"} <= set(provenance.libraries)


def test_the_same_inputs_give_the_same_bytes_in_another_process(
    bundle: Bundle, workplace: Any, tmp_path: Any
) -> None:
    output = tmp_path / "again.edge"
    arguments = [
        *("convert", workplace.model, "--spec", workplace.spec, "--calibration", workplace.calibration),
        *("--evaluation", workplace.evaluation, "-o", output, "--variants", ",".join(ALL_VARIANTS)),
    ]
    command = subprocess.run(
        [sys.executable, "-m", "edge_sdk.cli", *map(str, arguments)],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONHASHSEED": "4711"},
    )
    assert Bundle.open(output).sha256 == bundle.sha256
    told = {line.split()[0] for line in command.stderr.splitlines()}
    steps = {"reading", "opening", "building", "calibrating:", "tflite-mixed:", "onnx-mixed:"}
    assert told == steps | {"evaluating:", "proving:", "writing"}  # and no library


def _golden(bundle: Bundle, name: str, *, reference: bool = False) -> Any:
    variant = bundle.manifest.variant(name)
    with open_backend(bundle.read(variant.file), variant.format, reference_kernels=reference) as backend:
        return run_golden(bundle, name, backend)


def _stream(content: bytes) -> Any:
    return io.BytesIO(content)

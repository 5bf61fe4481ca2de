"""``edge-sdk verify`` believes a bundle only where digests and golden samples agree."""

from __future__ import annotations

import importlib.util
import io
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from example_contract import npy
from tiny_bundle import TinyBundle, tiny_bundle
from tiny_pictures import color_bundle

from device import verify_command
from device.choice_check import ChoiceReport, check_choice
from edge_sdk.cli.main import main
from edge_sdk.contract.bundle import file_digest
from edge_sdk.image.opencv import load_opencv
from edge_sdk.inference import choice as choice_module
from edge_sdk.inference import open as open_module
from edge_sdk.inference import tflite as tflite_module

MADE = tiny_bundle()


def with_member(made: TinyBundle, name: str, content: bytes) -> TinyBundle:
    """A bundle whose digests are right, though its content is not."""
    members = {**made.members, name: content}
    files = {name: file_digest(content) for name, content in members.items()}
    variants = [
        msgspec.structs.replace(variant, sha256=files[variant.file].sha256, bytes=files[variant.file].bytes)
        for variant in made.manifest.variants
    ]
    manifest = msgspec.structs.replace(made.manifest, files=files, variants=variants)
    return replace(made, manifest=manifest, members=members)


def verified(path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, Any]]:
    code = main(["verify", str(path), "--json", *options])
    return code, json.loads(capsys.readouterr().out)


@pytest.fixture(autouse=True)
def without_tensorrt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice_module, "backend_installed", lambda backend: backend != "tensorrt")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return MADE.write(tmp_path / "tones.edge")


@pytest.fixture
def altered(tmp_path: Path) -> Path:
    """What variant onnx-float32 should answer to sample 1 was changed for label ``high``."""
    expected = np.load(io.BytesIO(MADE.members["golden/onnx-float32.npy"]))
    expected[1, 1] = 0.1
    return with_member(MADE, "golden/onnx-float32.npy", npy(expected)).write(tmp_path / "altered.edge")


def test_healthy_bundle_passes_with_every_variant(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, report = verified(bundle, capsys, "--threads", "2")
    assert code == 0
    assert report["passed"] is True
    assert report["signed"] is False
    assert [(v["variant"], v["backend"], v["status"], v["golden"]["n"]) for v in report["variants"]] == [
        ("tflite-float32", "tflite", "passed", 4),
        ("tflite-int8", "tflite", "passed", 4),
        ("onnx-float32", "onnx", "passed", 4),
    ]


def test_variant_that_answers_otherwise_fails_by_sample_and_label(
    altered: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, report = verified(altered, capsys)
    assert code == 1
    assert report["passed"] is False
    (failed,) = [v for v in report["variants"] if v["status"] == "failed"]
    assert failed["variant"] == "onnx-float32"
    assert (failed["golden"]["worst_sample"], failed["golden"]["worst_label_id"]) == (1, "high")
    assert [(flip["sample"], flip["label_id"]) for flip in failed["golden"]["flipped"]] == [(1, "high")]


def test_people_read_which_sample_and_label(altered: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(altered)]) == 1
    text = capsys.readouterr().out
    assert "onnx-float32 on onnx failed: sample 1, label 'high', tensor 'scores': off by 0." in text
    assert "decision differs at sample 1, label 'high'" in text
    assert "failed: do not trust it on this machine" in text


def test_boxes_that_were_excused_are_told(
    bundle: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def tied(*checked: Any) -> ChoiceReport:
        report = check_choice(*checked)
        assert report.golden is not None
        return msgspec.structs.replace(report, golden=replace(report.golden, n_tied=2))

    monkeypatch.setattr(verify_command, "check_choice", tied)
    code, report = verified(bundle, capsys, "--variant", "onnx-float32")
    assert (code, report["variants"][0]["golden"]["n_tied"]) == (0, 2)
    assert main(["verify", str(bundle), "--variant", "onnx-float32"]) == 0
    assert "onnx-float32 on onnx: 2 expected boxes lost to another of nearly one score" in (
        capsys.readouterr().out
    )


def test_one_variant_can_be_asked_for(altered: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, report = verified(altered, capsys, "--variant", "tflite-int8")
    assert code == 0
    assert [v["variant"] for v in report["variants"]] == ["tflite-int8"]


def test_model_that_the_engine_refuses_fails_and_the_others_are_still_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = with_member(MADE, "models/tflite-float32.tflite", b"no model at all")
    code, report = verified(broken.write(tmp_path / "x.edge"), capsys)
    assert code == 1
    assert [v["status"] for v in report["variants"]] == ["failed", "passed", "passed"]
    assert "TFLite cannot load tones/tflite-float32" in report["variants"][0]["reason"]


def test_what_keeps_several_variants_from_running_is_told_once(
    bundle: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tflite_module, "_INTERPRETER_MODULES", ("no_such_interpreter",))
    assert main(["verify", str(bundle)]) == 0
    told = capsys.readouterr().out
    assert "\ntflite-float32, tflite-int8 on tflite not run: " in told
    assert told.count("edge-sdk[tflite]") == 1


def test_variant_whose_engine_is_missing_is_not_run_and_alone_proves_nothing(
    bundle: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    code, report = verified(bundle, capsys)
    assert code == 0
    assert [v["status"] for v in report["variants"]] == ["passed", "passed", "not_run"]
    assert report["variants"][2]["error"] == "MissingExtraError"
    assert "edge-sdk[onnx]" in report["variants"][2]["hint"]
    code, report = verified(bundle, capsys, "--variant", "onnx-float32")
    assert code == 2  # nothing was computed, so nothing can be said of this machine
    assert report["passed"] is False
    assert main(["verify", str(bundle), "--variant", "onnx-float32"]) == 2
    assert "not checked: what could run it is not here" in capsys.readouterr().out


def test_one_backend_can_be_asked_for(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, report = verified(bundle, capsys, "--backend", "onnx")
    assert code == 0
    assert [(v["variant"], v["backend"]) for v in report["variants"]] == [("onnx-float32", "onnx")]
    code, report = verified(bundle, capsys, "--backend", "onnx", "--variant", "tflite-int8")
    assert code == 2
    assert "variant tflite-int8 does not run on 'onnx'" in report["message"]


def test_pictures_that_cannot_be_prepared_here_are_not_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = color_bundle().write(tmp_path / "colors.edge")
    load_opencv.cache_clear()
    monkeypatch.setitem(sys.modules, "cv2", None)
    try:
        code, report = verified(path, capsys)
    finally:
        load_opencv.cache_clear()
    assert (code, report["variants"][0]["status"]) == (2, "not_run")
    assert "edge-sdk[camera-opencv]" in report["variants"][0]["hint"]


def test_required_digest_decides(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    digest = file_digest(bundle.read_bytes()).sha256
    code, report = verified(bundle, capsys, "--require-sha256", digest)
    assert (code, report["bundle"]["sha256"]) == (0, digest)
    code, report = verified(bundle, capsys, "--require-sha256", "0" * 64)
    assert (code, report["error"]) == (1, "DigestError")


def test_damaged_bundle_fails(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle.write_bytes(bundle.read_bytes()[:-100])
    code, report = verified(bundle, capsys)
    assert (code, report["error"]) == (1, "BundleError")


def test_unknown_variant_is_wrong_use(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, report = verified(bundle, capsys, "--variant", "int4")
    assert code == 2
    assert "no variant 'int4'" in report["message"]
    code, report = verified(bundle, capsys, "--variant", "tflite-int8,onnx-float32")
    assert (code, report["hint"]) == (2, "name one variant: tflite-int8 or onnx-float32")


def test_an_engine_that_cannot_be_found_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert not open_module.engine_installed("tflite")

"""SavedModels, models with their spectrogram inside, and models that somebody else converted."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from labelled_sounds import WINDOW
from tiny_models import tiny_onnx, tiny_tflite

from converters import convert
from converters.quiet import quiet_libraries
from converters.variants.recipes import DEFAULT_VARIANTS
from edge_sdk.cli.main import main
from edge_sdk.contract.bundle import Bundle
from edge_sdk.errors import ModelError, SpecError, UsageError

YAMNET_SPEC = """
name = "yamnet"
version = "1.0.0"
labels_file = "yamnet_class_map.csv"

[rules.chainsaw]
threshold = 0.3

[audio]
sample_rate_hz = 16000
window_samples = 15600
step_s = 0.48

[audio.log_mel]
n_fft = 512
win_length = 400
hop = 160
n_mels = 64
fmin_hz = 125.0
fmax_hz = 7500.0
mel_scale = "htk"
mel_norm = "none"
mel_triangles = "mel"
framing = "tensorflow"
center = false
power = 1.0
scale = "log"
log_offset = 0.001
"""


def report_of(bundle: Bundle) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(bundle.read("report.json"))
    return report


def test_a_saved_model_that_takes_a_waveform_gives_every_default_variant(
    workplace: Any, tmp_path: Path
) -> None:
    spec = tmp_path / "wave.toml"
    spec.write_text(workplace.waveform_spec.read_text().replace("[model]", '[model]\noutput = "scores"'))
    bundle = convert(
        workplace.waveform_model,
        spec=spec,
        calibration=workplace.calibration,
        evaluation=workplace.evaluation,
        output=tmp_path / "wave.edge",
        max_drop=0.1,
    )
    variants = {variant.name: variant for variant in bundle.manifest.variants}
    assert {"tflite-float32", "tflite-float16", "tflite-int8", "onnx-float32"} <= set(variants)
    assert variants["tflite-float32"].max_abs_difference < 1e-4
    assert variants["onnx-float32"].max_abs_difference < 1e-4
    assert variants["tflite-float32"].metric.value > 0.8
    assert bundle.manifest.audio.front_end.sample_rate_hz == 8000
    assert np.load(_stream(bundle.read(bundle.manifest.golden.inputs))).shape[1] == WINDOW


def test_one_of_several_outputs_must_be_named(workplace: Any, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="2 outputs") as caught:
        convert(
            workplace.waveform_model,
            spec=workplace.waveform_spec,
            evaluation=workplace.evaluation,
            output=tmp_path / "wave.edge",
        )
    assert "'scores'" in (caught.value.hint or "")


def test_a_variant_that_cannot_be_made_is_left_out_with_its_reason(workplace: Any, tmp_path: Path) -> None:
    bundle = convert(
        workplace.waveform_keras,
        spec=workplace.waveform_spec,
        evaluation=workplace.evaluation,
        output=tmp_path / "wave.edge",
        variants=["tflite-float32", "onnx-float32"],
    )
    assert bundle.manifest.stages[0].variants == ["tflite-float32"]
    left_out = report_of(bundle)["variants"][1]
    assert left_out["outcome"] == "left_out"
    assert "ONNX has no counterpart" in left_out["reason"]


def test_a_ready_onnx_model_is_taken_as_it_is(workplace: Any, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    weights = random.normal(scale=0.01, size=(2, 97 * 24)).astype(np.float32)
    model = tmp_path / "ready.onnx"
    model.write_bytes(tiny_onnx(weights, np.zeros(2, dtype=np.float32), ("batch", 97, 24)))
    spec = tmp_path / "spec.toml"
    spec.write_text(workplace.spec.read_text().replace('"sigmoid"', '"none"'))
    bundle = convert(
        model, spec=spec, evaluation=workplace.evaluation, output=tmp_path / "ready.edge", variants=["onnx"]
    )
    (variant,) = bundle.manifest.variants
    assert (variant.name, variant.precision, variant.format) == ("onnx", "as_given", "onnx")
    assert bundle.read(variant.file) == model.read_bytes()
    assert [item["outcome"] for item in report_of(bundle)["variants"]] == ["passed"]


@pytest.mark.parametrize("form", ["onnx", "tflite"])
def test_of_a_ready_model_every_default_variant_is_there_or_says_why_not(
    form: str, workplace: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = np.random.default_rng(0).normal(scale=0.01, size=(2, 97 * 24)).astype(np.float32)
    zero = np.zeros(2, dtype=np.float32)
    model, spec = tmp_path / f"ready.{form}", tmp_path / "spec.toml"
    onnx, tflite = (tiny_onnx(weights, zero, ("batch", 97, 24)), tiny_tflite(weights, zero, (1, 97, 24)))
    model.write_bytes(onnx if form == "onnx" else tflite)
    spec.write_text(workplace.spec.read_text().replace('"sigmoid"', '"none"'))
    output = tmp_path / "ready.edge"
    command = ["convert", model, "--spec", spec, "--evaluation", workplace.evaluation, "-o", output]
    main([*map(str, command), "--calibration", str(workplace.calibration), "--max-drop", "1"])
    bundle = Bundle.open(output)
    told = {item["name"]: item for item in report_of(bundle)["variants"]}
    page = bundle.read("report.html").decode()
    for name in DEFAULT_VARIANTS:
        found = told["onnx" if name == "onnx-float32" and form == "tflite" else name]
        assert found["outcome"] == "passed" or found["reason"]
        assert found["name"] in page
    assert "TFLite is made from a Keras model or SavedModel alone" in told["tflite-int8"]["reason"]
    lines = [line for line in capsys.readouterr().out.splitlines() if "tflite-int8" in line]
    assert len(lines) == 1
    assert ": left out: " in lines[0]


def test_what_cannot_be_made_from_a_ready_model_says_so(workplace: Any, tmp_path: Path) -> None:
    model = tmp_path / "ready.tflite"
    random = np.random.default_rng(0)
    weights = random.normal(scale=0.01, size=(2, 97 * 24)).astype(np.float32)
    model.write_bytes(tiny_tflite(weights, np.zeros(2, dtype=np.float32), (1, 97, 24)))
    spec = tmp_path / "spec.toml"
    spec.write_text(workplace.spec.read_text().replace('"sigmoid"', '"none"'))
    bundle = convert(
        model,
        spec=spec,
        evaluation=workplace.evaluation,
        output=tmp_path / "ready.edge",
        variants=["tflite", "tflite-int8"],
        calibration=workplace.calibration,
    )
    reasons = {item["name"]: item["reason"] for item in report_of(bundle)["variants"]}
    assert reasons["tflite"] == ""
    assert "taken as it is" in reasons["tflite-int8"]


def test_a_ready_model_that_ends_in_a_sigmoid_gets_no_second_one(workplace: Any, tmp_path: Path) -> None:
    model = tmp_path / "ready.onnx"
    weights = np.zeros((2, 97 * 24), dtype=np.float32)
    model.write_bytes(tiny_onnx(weights, np.zeros(2, dtype=np.float32), (1, 97, 24)))
    with pytest.raises(SpecError, match="ends in a sigmoid already"):
        convert(model, spec=workplace.spec, evaluation=workplace.evaluation, output=tmp_path / "ready.edge")


@pytest.mark.parametrize("name", ["broken.onnx", "broken.tflite", "broken.keras"])
def test_a_damaged_model_is_refused(workplace: Any, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"no model at all")
    with pytest.raises(ModelError, match=name):
        convert(
            tmp_path / name, spec=workplace.spec, evaluation=workplace.evaluation, output=tmp_path / "x.edge"
        )
    assert not (tmp_path / "x.edge").exists()


def test_python_code_inside_a_keras_file_is_refused(workplace: Any, tmp_path: Path) -> None:
    import keras

    mel = keras.Input((97, 24))
    hidden = keras.layers.Lambda(lambda tensor: tensor * 2)(mel)
    model = keras.Model(mel, keras.layers.Dense(2)(keras.layers.Flatten()(hidden)))
    with quiet_libraries():
        model.save(tmp_path / "code.keras")
    with pytest.raises(ModelError, match="Lambda") as caught:
        convert(
            tmp_path / "code.keras",
            spec=workplace.spec,
            evaluation=workplace.evaluation,
            output=tmp_path / "x.edge",
        )
    assert "SavedModel" in (caught.value.hint or "")


def test_a_folder_that_is_no_saved_model_and_a_file_of_another_kind_are_refused(
    workplace: Any, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "weights.h5").touch()
    with pytest.raises(ModelError, match="no SavedModel"):
        convert(
            tmp_path / "empty", spec=workplace.spec, evaluation=workplace.evaluation, output=tmp_path / "x"
        )
    with pytest.raises(UsageError, match=r"weights\.h5 is no model"):
        convert(
            tmp_path / "weights.h5",
            spec=workplace.spec,
            evaluation=workplace.evaluation,
            output=tmp_path / "x",
        )


def test_yamnet_as_it_is_hears_real_chainsaws(shared_data: Path, tmp_path: Path) -> None:
    recordings = tmp_path / "recordings"
    for folder, source in (("chainsaw", "008_Chainsaw"), ("background", "009_Rooster")):
        (recordings / folder).mkdir(parents=True)
        for clip in sorted((shared_data / "audio" / "esc10" / source).glob("4-*.ogg")):
            shutil.copyfile(clip, recordings / folder / clip.name)
    shutil.copyfile(shared_data / "models/yamnet/yamnet_class_map.csv", tmp_path / "yamnet_class_map.csv")
    (tmp_path / "yamnet.toml").write_text(YAMNET_SPEC)
    bundle = convert(
        shared_data / "models/yamnet/yamnet_spectra_in.tflite",
        spec=tmp_path / "yamnet.toml",
        evaluation=recordings,
        output=tmp_path / "yamnet.edge",
    )
    (variant,) = bundle.manifest.variants
    report = report_of(bundle)
    assert (variant.name, variant.precision) == ("tflite", "as_given")
    assert len(bundle.manifest.labels) == 521
    assert variant.metric.n == 16
    (chainsaw,) = report["source"]["labels"]
    assert chainsaw["auc"] > 0.95
    assert chainsaw["recall"]["n"] == 8


def _stream(content: bytes) -> Any:
    return io.BytesIO(content)

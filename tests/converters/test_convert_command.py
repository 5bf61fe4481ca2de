"""``edge-sdk convert`` as a user meets it: what it says, what it leaves behind, how it exits."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import converters
from converters.quiet import quiet_libraries
from edge_sdk.cli.main import main
from edge_sdk.contract.bundle import Bundle
from edge_sdk.errors import UsageError

Convert = Callable[..., int]


@pytest.fixture
def convert(workplace: Any, tmp_path: Path) -> Convert:
    """The command with good arguments, of which some are replaced or, with None, left out."""

    def run(*flags: str, **changes: Any) -> int:
        options = {
            "spec": workplace.spec,
            "calibration": workplace.calibration,
            "evaluation": workplace.evaluation,
            "output": tmp_path / "out" / "x.edge",
        } | changes
        (tmp_path / "out").mkdir(exist_ok=True)
        model = str(options.pop("model", workplace.model))
        given = [
            text for name, value in options.items() if value is not None for text in (f"--{name}", str(value))
        ]
        return main(["convert", model, *given, *flags])

    return run


@pytest.fixture
def refused(
    convert: Convert, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """The same, where nothing may be left behind; gives exit code and what was said."""

    def run(*flags: str, **changes: Any) -> tuple[int, str]:
        code = convert(*flags, **changes)
        assert list((tmp_path / "out").iterdir()) == []
        return code, capsys.readouterr().err

    return run


def test_json_is_one_object_and_nothing_else(
    convert: Convert, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert convert("--json", "--variants", "tflite-float32") == 0
    out, err = capfd.readouterr()
    found = json.loads(out)
    assert found["variants"] == ["tflite-float32"]
    assert found["bytes"] == (tmp_path / "out" / "x.edge").stat().st_size
    assert found["report"]["variants"][0]["outcome"] == "passed"
    assert found["latency"][0]["variant"] == "tflite-float32"
    assert "reading evaluation: 0 of 24" in err


def test_a_bundle_is_replaced_only_by_force(
    convert: Convert, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out" / "x.edge"
    output.parent.mkdir()
    output.write_bytes(b"made with care")
    assert convert("--variants", "tflite-float32") == 2
    said = capsys.readouterr().err
    assert f"{output} is there already\nhint: --force replaces it" in said
    assert "opening" not in said
    assert output.read_bytes() == b"made with care"
    assert convert("--variants", "tflite-float32", "--force") == 0
    assert Bundle.open(output).manifest.name


def test_the_table_shows_metric_drop_agreement_size_and_latency(
    convert: Convert, capsys: pytest.CaptureFixture[str]
) -> None:
    assert convert("--variants", "tflite-float32,tflite-int8", calibration=None) == 2
    assert convert("--variants", "tflite-float32") == 0
    table = capsys.readouterr().out
    headings = re.split(r" {2,}", table.splitlines()[0])
    assert headings == ["variant", "exact_match", "drop", "agreement", "max diff", "kB", "ms", "outcome"]
    (row,) = [line for line in table.splitlines() if line.startswith("tflite-float32")]
    assert row.endswith("passed")
    assert re.search(r"^exact_match of 24 recordings; float source: 95 % interval 0\.\d", table, re.MULTILINE)


def test_without_calibration_int8_is_left_out_and_never_invented(
    convert: Convert, capsys: pytest.CaptureFixture[str]
) -> None:
    assert convert(calibration=None) == 0
    out = capsys.readouterr().out
    wanted = "tflite-int8, tflite-mixed, onnx-int8: left out: no calibration recordings were given"
    assert wanted in out.splitlines()


def test_int8_that_was_asked_for_needs_calibration(refused: Callable[..., tuple[int, str]]) -> None:
    code, said = refused("--variants", "tflite-int8", calibration=None)
    assert code == 2
    assert "tflite-int8 needs calibration recordings" in said


def test_a_model_that_int8_destroys_is_refused_and_nothing_is_written(
    workplace: Any,
    tmp_path: Path,
    refused: Callable[..., tuple[int, str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, said = refused("--variants", "tflite-int8", model=_fragile(workplace, tmp_path))
    assert code == 1
    assert "no variant may be used, so nothing was written" in said
    assert "tflite-int8: " in said
    assert "furthest off: " in said


def test_where_int8_is_refused_the_mixed_variant_passes_and_says_what_is_float(
    workplace: Any, tmp_path: Path, convert: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    model = _fragile(workplace, tmp_path)
    assert convert("--variants", "tflite-int8,tflite-mixed", model=model) == 0
    said = capsys.readouterr().out
    assert "tflite-int8: refused: " in said
    assert re.search(r"^tflite-mixed: .* of 4 layers in float; off by ", said, re.MULTILINE)
    assert "variants, the preferred first: tflite-mixed\n" in said


def test_a_recording_in_both_sets_is_refused(
    workplace: Any, tmp_path: Path, refused: Callable[..., tuple[int, str]]
) -> None:
    calibration = tmp_path / "calibration"
    shutil.copytree(workplace.calibration, calibration)
    shutil.copy(workplace.evaluation / "saw/saw-0.wav", calibration / "shot/other-name.wav")
    code, said = refused(calibration=calibration)
    assert code == 1
    assert "saw/saw-0.wav (calibration: shot/other-name.wav)" in said


def test_a_calibration_set_without_a_class_is_refused(
    workplace: Any, tmp_path: Path, refused: Callable[..., tuple[int, str]]
) -> None:
    calibration = tmp_path / "calibration"
    shutil.copytree(workplace.calibration, calibration)
    shutil.rmtree(calibration / "shot")
    code, said = refused("--variants", "tflite-int8", calibration=calibration)
    assert code == 1
    assert "no recording of: shot" in said


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('[[labels]]\nid = "saw"\n', "", "has 2 outputs, the spec has 1 labels"),
        ("[default_rule]", "[default_rules]", "did you mean 'default_rule'?"),
        ("step_s = 0.25", "step_s = 0.255", "the nearest are 2000 samples (0.2500 s) or 2080 samples"),
        ("window_s = 1.0", "window_s = 1.5", "the model wants 97 frames: window_samples from 7936 to 8015"),
        ('activation = "sigmoid"', 'activation = "none"', "which are no scores of 0..1"),
        ("n_mels = 24", "n_mels = 32", "its front end makes [97, 32]"),
        ("mean = -30.0", 'mean = -30.0\nlayout = "mel_time"', "layout"),
    ],
)
def test_a_spec_that_contradicts_the_model_is_refused(
    workplace: Any,
    tmp_path: Path,
    refused: Callable[..., tuple[int, str]],
    old: str,
    new: str,
    complaint: str,
) -> None:
    spec = tmp_path / "spec.toml"
    text = workplace.spec.read_text()
    assert old in text
    spec.write_text(text.replace(old, new))
    code, said = refused("--variants", "tflite-float32", spec=spec)
    assert code == 2
    assert complaint in said


@pytest.mark.parametrize(
    ("flags", "changes", "complaint"),
    [
        (["--variants", "tflite-int9"], {}, "did you mean 'tflite-int8'?"),
        (["--max-drop", "7"], {}, "'7' is not a number from 0 to 1"),
        (["--max-drop", "little"], {}, "'little' is not a number from 0 to 1"),
        (["--threads", "0"], {}, "0 is not a whole number, 1 to 64"),
        ([], {"model": "absent.keras"}, "there is no model absent.keras"),
        ([], {"spec": "absent.toml"}, "there is no file absent.toml"),
        ([], {"evaluation": "absent"}, "there is no folder absent"),
        ([], {"calibration": "absent"}, "there is no folder absent"),
        ([], {"output": "absent/x.edge"}, "there is no folder absent"),
        ([], {"output": "."}, "is a folder"),
    ],
)
def test_wrong_use_is_found_at_once(
    refused: Callable[..., tuple[int, str]], flags: list[str], changes: dict[str, str], complaint: str
) -> None:
    code, said = refused(*flags, **changes)
    assert code == 2
    assert complaint in said
    assert "opening" not in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [({"threads": 0}, "not 0"), ({"threads": 65}, "1 to 64"), ({"max_drop": 7.0}, "max-drop must be 0..1")],
)
def test_from_python_numbers_are_checked_too(
    workplace: Any, tmp_path: Path, arguments: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        converters.convert(
            workplace.model,
            spec=workplace.spec,
            evaluation=workplace.evaluation,
            output=tmp_path / "x.edge",
            **arguments,
        )


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="no /proc, which takes no files even from root")
def test_a_folder_that_cannot_be_written_to_is_refused_before_the_work(
    refused: Callable[..., tuple[int, str]],
) -> None:
    code, said = refused(output="/proc/x.edge")
    assert code == 2
    assert "cannot write into /proc" in said
    assert "opening" not in said


def test_a_bad_recording_is_named_before_the_work(
    workplace: Any, tmp_path: Path, refused: Callable[..., tuple[int, str]]
) -> None:
    evaluation = tmp_path / "evaluation"
    shutil.copytree(workplace.evaluation, evaluation)
    (evaluation / "saw/cut.wav").write_bytes((evaluation / "saw/saw-0.wav").read_bytes()[:5000])
    code, said = refused(evaluation=evaluation)
    assert code == 1
    assert "cut.wav" in said
    assert "building" not in said


def test_an_evaluation_set_of_background_alone_proves_nothing(
    workplace: Any, tmp_path: Path, refused: Callable[..., tuple[int, str]]
) -> None:
    evaluation = tmp_path / "evaluation"
    shutil.copytree(workplace.evaluation / "background", evaluation / "background")
    code, said = refused(evaluation=evaluation)
    assert code == 1
    assert "nothing can be judged" in said


def _fragile(workplace: Any, folder: Path) -> Path:
    """The trained model with one output beside its features that is a hundred thousand times larger."""
    import keras

    model = keras.saving.load_model(workplace.model, compile=False)
    mel = keras.Input((97, 24), name="mel")
    logits = model(mel)
    loud = keras.layers.Rescaling(1e5)(keras.layers.GlobalAveragePooling1D()(mel))
    joined = keras.layers.Concatenate()([logits, loud])
    choose = keras.layers.Dense(2, use_bias=False)
    answer = choose(joined)
    choose.set_weights([np.vstack([np.eye(2), np.zeros((24, 2))]).astype(np.float32)])
    with quiet_libraries():
        keras.Model(mel, answer).save(folder / "fragile.keras")
    return folder / "fragile.keras"

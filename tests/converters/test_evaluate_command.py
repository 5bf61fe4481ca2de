"""``edge-sdk evaluate``: figures per clip, and false alarms on long recordings."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from labelled_sounds import LABELS, RATE, make_sound

from converters import convert, evaluate
from converters.evaluation.evaluate import Evaluation
from converters.evaluation.sound import SoundEvaluation
from edge_sdk.cli.main import main
from edge_sdk.contract.bundle import Bundle
from edge_sdk.errors import UsageError


@pytest.fixture(scope="module")
def bundle(workplace: Any, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return convert(
        workplace.model,
        spec=workplace.spec,
        evaluation=workplace.evaluation,
        output=tmp_path_factory.mktemp("evaluated") / "buzz.edge",
        variants=["tflite-float32", "onnx-float32"],
    )


def sound(found: Evaluation) -> SoundEvaluation:
    assert isinstance(found, SoundEvaluation)
    return found


def long_recordings(folder: Path) -> Path:
    """40 s of background with two shots in it that nobody labelled, and 35 s of saw."""
    random = np.random.default_rng(12)
    quiet = make_sound("background", 40.0, random)
    for second in (8, 25):
        quiet[second * RATE : (second + 1) * RATE] = make_sound("shot", 1.0, random)
    for name, sound in {"background/night": quiet, "saw/day": make_sound("saw", 35.0, random)}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / f"{name}.flac", sound, RATE)
    return folder


def test_evaluation_repeats_what_the_converter_proved(bundle: Bundle, workplace: Any) -> None:
    found = sound(evaluate(bundle, workplace.evaluation))
    proved = json.loads(bundle.read("report.json"))["variants"][0]
    assert found.variant == bundle.manifest.stages[0].variants[0] == proved["name"]
    assert found.clips == 24
    assert found.exact.value == proved["metric"]["value"]
    assert [label.auc for label in found.labels] == [label["auc"] for label in proved["labels"]]
    assert found.events == []


def test_false_alarms_on_long_recordings_are_counted_with_their_hours_and_bound(
    bundle: Bundle, tmp_path: Path
) -> None:
    found = sound(evaluate(bundle, long_recordings(tmp_path / "long")))
    events = {item.label: item for item in found.events}
    assert found.long_recordings == 2
    assert events["shot"].false_alarms == 2
    assert events["shot"].hours == pytest.approx(75 / 3600)
    assert events["shot"].events_with_label == 0
    # Two events: the Poisson bound is 6.296 of them in that time.
    assert events["shot"].per_hour_at_most == pytest.approx(6.2958 / (75 / 3600), rel=1e-3)
    assert events["saw"].events_with_label == 1
    assert events["saw"].hours == pytest.approx(40 / 3600)
    assert events["saw"].per_day_at_most is not None
    assert math.isfinite(events["saw"].per_day_at_most)


def test_background_alone_is_judged_by_every_label_that_alerts(bundle: Bundle, tmp_path: Path) -> None:
    folder = long_recordings(tmp_path / "long")
    shutil.rmtree(folder / "saw")
    found = sound(evaluate(bundle, folder))
    assert [label.label for label in found.labels] == list(LABELS)
    assert (found.exact.hits, found.exact.n) == (0, 1)  # the two shots in it
    assert found.labels[1].specificity.value == 0.0
    assert found.labels[1].recall.value is None


def test_a_variant_can_be_chosen(bundle: Bundle, workplace: Any) -> None:
    assert evaluate(bundle.path, workplace.evaluation, variant="onnx-float32").variant == "onnx-float32"
    with pytest.raises(UsageError, match="no variant 'tflite-int8'"):
        evaluate(bundle.path, workplace.evaluation, variant="tflite-int8")


def test_the_command_prints_a_table_or_one_json_object(
    bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(long_recordings(tmp_path / "long"))
    assert main(["evaluate", str(bundle.path), folder, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [label["label"] for label in found["labels"]] == ["saw"]
    assert found["labels"][0]["recall"]["n"] == 1
    assert found["labels"][0]["auc_interval"] == "approximate"
    assert {item["label"] for item in found["events"]} == set(LABELS)
    assert main(["evaluate", str(bundle.path), folder]) == 0
    text = capsys.readouterr().out
    assert "right in every label" in text
    assert re.search(r"^label +recall +95 % +precision +95 % +AUC +~95 %$", text, re.MULTILINE)
    assert re.search(r"^saw +1\.000 1/1 +0\.03-1\.00 .* 0\.\d\d-1\.00$", text, re.MULTILINE)
    assert "that of the AUC\nis approximate" in text
    assert "false alarms" in text
    assert max(map(len, text.splitlines()[1:])) <= 80


def test_recordings_without_a_folder_are_refused(
    bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(bundle.path), str(tmp_path / "absent")]) == 2
    assert "there is no folder" in capsys.readouterr().err


def test_a_variant_that_is_not_there_is_wrong_use(
    bundle: Bundle, workplace: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["evaluate", str(bundle.path), str(workplace.evaluation), "--variant", "tflite-int9"]
    assert main(given) == 2
    assert "no variant 'tflite-int9'" in capsys.readouterr().err


def test_a_bad_recording_is_named_and_nothing_is_said_of_a_conversion(
    bundle: Bundle, workplace: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(workplace.evaluation, tmp_path / "set")
    (tmp_path / "set/saw/words.wav").write_text("this is no sound")
    assert main(["evaluate", str(bundle.path), str(tmp_path / "set")]) == 1
    said = capsys.readouterr().err
    assert "words.wav" in said
    assert "convert" not in said.replace(str(tmp_path), "")


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_a_bundles_name_need_not_be_utf_8(
    bundle: Bundle, workplace: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str], flags: list[str]
) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/buzz \xff.edge"))
    try:
        shutil.copy(bundle.path, odd)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    assert main(["evaluate", str(odd), str(workplace.evaluation), *flags]) == 0
    assert "buzz \N{REPLACEMENT CHARACTER}.edge" in capfd.readouterr().out

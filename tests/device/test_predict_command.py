"""``edge-sdk predict`` tells what a bundle hears, window by window and for each recording."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
import soundfile
from tiny_bundle import tiny_bundle, tone

from edge_sdk.cli.main import main
from edge_sdk.contract.values import Float32Array

Predict: TypeAlias = Callable[..., tuple[int, dict[str, Any]]]

MADE = tiny_bundle(("tflite-float32", "onnx-float32"))


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return MADE.write(tmp_path / "tones.edge")


@pytest.fixture
def predict(bundle: Path, capsys: pytest.CaptureFixture[str]) -> Predict:
    def run(*arguments: Path | str) -> tuple[int, dict[str, Any]]:
        code = main(["predict", str(bundle), *map(str, arguments), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


def wav(path: Path, samples: Float32Array, rate_hz: int = 8_000, subtype: str = "FLOAT") -> Path:
    soundfile.write(path, samples, rate_hz, subtype=subtype)
    return path


def test_windows_peaks_and_events_of_a_recording(tmp_path: Path, predict: Predict) -> None:
    sound = np.concatenate([np.zeros(8_000, dtype=np.float32), tone(300, 1.0)])
    code, report = predict(wav(tmp_path / "low.wav", sound))
    assert code == 0
    assert report["variant"] == "tflite-float32"
    assert report["bundle"]["name"] == "tones"
    (file,) = report["files"]
    assert file["error"] is None
    assert (file["elapsed_s"], file["inspected_s"]) == (2.0, 2.0)
    assert [w["start_s"] for w in file["windows"]] == [round(i * 0.1, 3) for i in range(16)]
    assert file["windows"][0]["level_dbfs"] is None
    assert next(iter(file["windows"][-1]["scores"])) == "low"
    assert next(iter(file["peaks"])) == "low"
    (event,) = file["events"]
    assert event["label"] == "low"
    assert event["end_reason"] == "source_ended"
    assert 0.5 <= event["start_s"] < event["stop_s"] == 2.0
    assert file["peaks"]["low"] >= event["score"] - 1e-6


def test_any_rate_and_channel_count_is_taken(tmp_path: Path, predict: Predict) -> None:
    both = np.stack([tone(300, 1.5, rate_hz=44_100), tone(2_500, 1.5, rate_hz=44_100)], axis=1)
    path = wav(tmp_path / "both.wav", both, 44_100)
    heard = {}
    for channel in ("1", "2"):
        _, report = predict(path, "--channel", channel)
        heard[channel] = [event["label"] for event in report["files"][0]["events"]]
    assert heard == {"1": ["low"], "2": ["high"]}


def test_channel_that_is_not_there_is_an_error_of_that_file(tmp_path: Path, predict: Predict) -> None:
    code, report = predict(wav(tmp_path / "mono.wav", tone(300, 1.0)), "--channel", "2")
    assert code == 1
    assert "has no channel 2" in report["files"][0]["error"]


def test_folders_are_searched_for_recordings(tmp_path: Path, predict: Predict) -> None:
    folder = tmp_path / "clips"
    (folder / "deep").mkdir(parents=True)
    names = ["b.wav", "a.WAV", "deep/c.flac", "d.ogg"]
    for name in names:
        subtype = {"flac": "PCM_16", "ogg": "VORBIS"}.get(name[-4:].strip("."), "FLOAT")
        wav(folder / name, tone(300, 1.0), subtype=subtype)
    (folder / "notes.txt").write_text("not sound")
    (folder / "._b.wav").write_bytes(b"macOS")
    code, report = predict(folder)
    assert code == 0
    assert [file["file"] for file in report["files"]] == [
        str(folder / name) for name in ("a.WAV", "b.wav", "d.ogg", "deep/c.flac")
    ]
    assert all(file["events"][0]["label"] == "low" for file in report["files"])


def test_folder_without_recordings_is_wrong_use(tmp_path: Path, predict: Predict) -> None:
    (tmp_path / "none").mkdir()
    code, report = predict(tmp_path / "none")
    assert code == 2
    assert "there is no recording in" in report["message"]


def truncated(path: Path) -> None:
    wav(path, tone(300, 3.0))
    path.write_bytes(path.read_bytes()[:60_000])


def holding_nan(path: Path) -> None:
    sound = tone(300, 2.0)
    sound[12_345] = np.nan
    wav(path, sound)


BAD_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda path: path.write_bytes(b""), "is empty (0 bytes)"),
    "text": (lambda path: path.write_text("I am no sound at all, only text."), "cannot be read as sound"),
    "truncated": (truncated, "truncated"),
    "nan": (holding_nan, "sample 12345"),
    "one sample": (lambda path: wav(path, np.zeros(1, dtype=np.float32)), "less than 0.1 s"),
    "a click": (lambda path: wav(path, tone(300, 0.09)), "holds 0.090 s, less than 0.1 s"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_file_is_reported_and_the_good_ones_go_on(tmp_path: Path, predict: Predict, name: str) -> None:
    make, message = BAD_FILES[name]
    bad = tmp_path / "bad.wav"
    make(bad)
    first, last = wav(tmp_path / "1.wav", tone(300, 1.0)), wav(tmp_path / "2.wav", tone(2_500, 1.0))
    code, report = predict(first, bad, last)
    assert code == 1
    assert [file["error"] is None for file in report["files"]] == [True, False, True]
    assert message in report["files"][1]["error"]
    assert str(bad) in report["files"][1]["error"]
    assert [e["label"] for e in report["files"][0]["events"]] == ["low"]
    assert [e["label"] for e in report["files"][2]["events"]] == ["high"]


def test_the_hint_about_a_bad_file_stands_beside_its_error(
    bundle: Path, tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.wav").write_bytes(b"")
    _, report = predict(tmp_path / "bad.wav")
    (file,) = report["files"]
    assert file["error"] == f"{tmp_path / 'bad.wav'} is empty (0 bytes)"
    assert file["hint"] == "the recorder or the copy may have failed"
    assert main(["predict", str(bundle), str(tmp_path / "bad.wav")]) == 1
    told = capsys.readouterr().err
    assert "is empty (0 bytes)\nhint: the recorder or the copy may have failed\n" in told


@pytest.mark.parametrize("seconds", [0.1, 0.3, 0.49])
def test_recording_shorter_than_a_window_is_filled_with_silence(
    tmp_path: Path, predict: Predict, seconds: float
) -> None:
    code, report = predict(wav(tmp_path / "short.wav", tone(300, seconds)))
    (file,) = report["files"]
    assert code == 0
    assert len(file["windows"]) == 1
    assert file["filled_s"] == pytest.approx(0.5 - seconds, abs=0.001)


def test_recording_of_exactly_one_window_is_left_alone(tmp_path: Path, predict: Predict) -> None:
    _, report = predict(wav(tmp_path / "exact.wav", tone(300, 0.5)))
    (file,) = report["files"]
    assert len(file["windows"]) == 1
    assert file["filled_s"] == 0.0


def test_a_recording_is_inspected_to_its_end(tmp_path: Path, predict: Predict) -> None:
    """The tone is in the last part of a step alone, which no whole step reaches."""
    sound = np.concatenate([tone(300, 1.0, level=0.0), tone(2_500, 0.06)])
    _, report = predict(wav(tmp_path / "odd.wav", sound))
    (file,) = report["files"]
    assert file["inspected_s"] == file["elapsed_s"] == 1.06
    last, before = file["windows"][-1], file["windows"][-2]
    assert (before["stop_s"], last["start_s"], last["stop_s"]) == (1.0, 0.56, 1.06)
    assert last["level_dbfs"] > before["level_dbfs"] + 20


@pytest.mark.parametrize("make", [truncated, holding_nan])
def test_what_was_heard_before_a_file_broke_off_is_told(
    tmp_path: Path, predict: Predict, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "bad.wav")
    _, report = predict(tmp_path / "bad.wav")
    (file,) = report["files"]
    assert [(event["label"], event["end_reason"]) for event in file["events"]] == [("low", "source_lost")]
    assert 0 < file["inspected_s"] <= file["elapsed_s"] < 3.0
    assert file["faults"] == {"unreadable_file": 1}


def test_people_read_windows_and_events_as_they_come(
    tmp_path: Path, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = wav(tmp_path / "low.wav", tone(300, 1.0))
    assert main(["predict", str(bundle), str(path), "--top", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == str(path)
    assert lines[1].startswith("      0.000 -     0.500 s   -13.5 dBFS  low 1.000")
    assert len(lines) == 1 + 6 + 2
    assert lines[-2].startswith("  inspected 1.000 of 1.000 s; highest: low ")
    assert lines[-1].startswith("  event: low 0.000 - 1.000 s, score ")


def test_summary_leaves_windows_out(
    tmp_path: Path, bundle: Path, predict: Predict, capsys: pytest.CaptureFixture[str]
) -> None:
    path = wav(tmp_path / "quiet.wav", np.zeros(8_000, dtype=np.float32))
    assert main(["predict", str(bundle), str(path), "--summary"]) == 0
    assert capsys.readouterr().out.splitlines()[2:] == ["  no event"]
    _, report = predict(path, "--summary")
    assert report["files"][0]["windows"] == []


def test_bad_file_is_told_on_stderr(tmp_path: Path, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.wav").touch()
    assert main(["predict", str(bundle), str(tmp_path / "empty.wav")]) == 1
    assert "empty.wav" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["x.wav", "--top", "0"], "--top: 0 is not a whole number of at least 1"),
        (["x.wav", "--channel", "left"], "--channel: 'left' is not a whole number of at least 1"),
        (["x.wav", "--threads", "100000"], "--threads: 100000 is not a whole number, 1 to 64"),
        (["x.wav", "--threads", "0"], "--threads: 0 is not a whole number, 1 to 64"),
        ([], "required: FILE"),
        (["none.wav"], "there is no file or directory none.wav"),
        (["a" * 300 + ".wav"], "File name too long"),
    ],
)
def test_wrong_use_is_refused_in_words(predict: Predict, arguments: list[str], said: str) -> None:
    code, report = predict(*arguments)
    assert (code, report["error"]) == (2, "UsageError")
    assert said in report["message"]


def test_unknown_variant_is_wrong_use(tmp_path: Path, predict: Predict) -> None:
    code, report = predict(wav(tmp_path / "x.wav", tone(300, 1.0)), "--variant", "int4")
    assert code == 2
    assert "no variant 'int4'" in report["message"]


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS takes UTF-8 names only")
@pytest.mark.parametrize("name", [b"caf\xe9.wav", b"\xff\xfe.wav"])
def test_a_name_that_is_no_utf_8_is_heard_and_told_in_valid_json(
    tmp_path: Path, bundle: Path, capfdbinary: pytest.CaptureFixture[bytes], name: bytes
) -> None:
    path = wav(tmp_path / "x.wav", tone(300, 1.0))
    path.rename(tmp_path / os.fsdecode(name))
    assert main(["predict", str(bundle), str(tmp_path), "--summary", "--json"]) == 0
    (file,) = json.loads(capfdbinary.readouterr().out.decode("utf-8"))["files"]
    assert Path(file["file"]).name == name.decode("utf-8", "replace")
    assert [event["label"] for event in file["events"]] == ["low"]
    assert main(["predict", str(bundle), str(tmp_path), "--summary"]) == 0
    assert name.decode("utf-8", "replace") in capfdbinary.readouterr().out.decode("utf-8")


def test_real_forest_is_read_without_an_event(shared_data: Path, predict: Predict) -> None:
    folder = shared_data / "audio" / "forest_day"
    code, report = predict(folder, "--variant", "onnx-float32", "--summary")
    assert code == 0
    assert report["variant"] == "onnx-float32"
    assert len(report["files"]) == 12
    assert all(file["inspected_s"] > 9 for file in report["files"])


def test_sound_of_another_kind_in_a_folder_is_an_error_and_no_silence(
    tmp_path: Path, predict: Predict
) -> None:
    (tmp_path / "card").mkdir()
    wav(tmp_path / "card/a.wav", tone(300, 1.0))
    (tmp_path / "card/b.mp3").write_bytes(b"ID3\x04" + bytes(200))
    code, report = predict(tmp_path / "card")
    assert code == 1
    good, bad = report["files"]
    assert good["error"] is None
    assert bad["file"].endswith("b.mp3")
    assert bad["error"]

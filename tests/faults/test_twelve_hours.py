"""Whole verbs on recordings of a night: the right answer, little memory, and nothing left when stopped."""

from __future__ import annotations

import json
import re
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest
from measured_verb import Measured, run_verb, start_verb
from night import DECODED_BYTES, HOURS, SECONDS, TONE_S, WINDOWS, write_flac, write_model, write_rf64

LOW_AT, HIGH_AT = 3_600, 40_000
LITTLE_MEMORY = DECODED_BYTES // 2
"""Half of one recording as it is heard; each verb hears two."""


@dataclass(frozen=True)
class Nights:
    """Two recordings of twelve hours, one labelled and one not, and what was converted with them."""

    model: Path
    spec: Path
    recordings: Path
    bundle: Path
    conversion: Measured


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    folder = tmp_path_factory.mktemp("nights")
    model, spec = write_model(folder)
    recordings, bundle = folder / "set", folder / "night-tones.edge"
    write_flac(recordings / "low/long.flac", {LOW_AT: 200})
    write_rf64(recordings / "background/long.wav", {HIGH_AT: 800})
    # As it is: ONNX would be made of it by TensorFlow, whose memory is another matter.
    words = ["--spec", spec, "--variants", "tflite", "--evaluation", recordings, "--output", bundle, "--json"]
    return Nights(model, spec, recordings, bundle, run_verb("convert", model, *words, folder=folder))


def assert_told_within_recordings(err: str, what: str, recordings: int = 2) -> None:
    assert f"{what}: 0 of {recordings}\n" in err
    assert re.search(rf"^{what}: 0 of {recordings}, \d+% of the next$", err, re.MULTILINE)


def test_a_model_is_proved_on_nights_with_and_without_its_label(nights: Nights) -> None:
    done = nights.conversion
    assert done.code == 0, done.err
    assert done.peak_bytes < LITTLE_MEMORY
    assert_told_within_recordings(done.err, "reading evaluation")
    assert_told_within_recordings(done.err, "evaluating")
    report = json.loads(done.out)["report"]
    assert report["evaluation"]["hours"] == 2 * HOURS
    assert report["evaluation"]["windows"] == 2 * WINDOWS
    (variant,) = report["variants"]
    assert variant["outcome"] == "passed"
    assert (variant["metric"]["n"], variant["metric"]["value"]) == (2, 1.0)
    # The surest window of the tone, and the one that is nearest to a decision: the other tone.
    places = {f"low/long.flac at {LOW_AT} s", f"background/long.wav at {HIGH_AT} s"}
    assert places <= {re.sub(r"(..)\d s$", r"\g<1>0 s", name) for name in report["golden_samples"]}


def test_false_alarms_of_a_night_are_counted_with_their_bound(nights: Nights, tmp_path: Path) -> None:
    done = run_verb("evaluate", nights.bundle, nights.recordings, "--json", folder=tmp_path)
    assert done.code == 0, done.err
    assert done.peak_bytes < LITTLE_MEMORY
    assert_told_within_recordings(done.err, "reading recordings")
    assert_told_within_recordings(done.err, "evaluating")
    found = json.loads(done.out)
    assert (found["windows"], found["long_recordings"]) == (2 * WINDOWS, 2)
    low, high = found["events"]
    assert (low["events_with_label"], low["hours_with_label"]) == (1, HOURS)
    assert (low["false_alarms"], low["hours"]) == (0, HOURS)
    assert low["per_hour_at_most"] == pytest.approx(2.9957 / HOURS, rel=1e-4)  # Poisson: ln 20 for none ...
    assert (high["false_alarms"], high["hours"]) == (1, 2 * HOURS)
    assert high["per_day_at_most"] == pytest.approx(4.7439, rel=1e-4)  # ... and 4.7439 for one


def test_an_event_of_a_night_is_heard_at_its_second(nights: Nights, tmp_path: Path) -> None:
    recording = nights.recordings / "background/long.wav"
    done = run_verb("predict", nights.bundle, recording, "--json", folder=tmp_path)
    assert done.code == 0, done.err
    assert done.peak_bytes < LITTLE_MEMORY
    assert_told_within_recordings(done.err, "hearing recordings", 1)
    (file,) = json.loads(done.out)["files"]
    assert (file["inspected_s"], file["elapsed_s"]) == (SECONDS, SECONDS)
    (event,) = file["events"]
    assert (event["label"], event["start_s"], event["stop_s"]) == ("high", HIGH_AT, HIGH_AT + TONE_S)
    assert len(file["windows"]) == WINDOWS
    hits = [window["start_s"] for window in file["windows"] if window["scores"]["high"] >= 0.8]
    assert hits == list(range(HIGH_AT, HIGH_AT + TONE_S, 5))


@pytest.mark.parametrize("verb", ["convert", "evaluate"])
def test_stopped_in_the_middle_of_a_night_it_leaves_no_file(
    nights: Nights, tmp_path: Path, verb: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    night = tmp_path / "night"
    shutil.copytree(nights.recordings / "low", night / "low")
    words: dict[str, list[object]] = {
        "convert": [
            nights.model,
            *("--spec", nights.spec, "--variants", "tflite", "--evaluation", night),
            *("--output", out / "x.edge"),
        ],
        "evaluate": [nights.bundle, night],
    }
    with start_verb(verb, *words[verb], folder=tmp_path) as running:
        assert running.stderr is not None
        for line in running.stderr:
            if re.match(r"evaluating: 0 of 1, \d+% of the next", line):
                running.send_signal(signal.SIGINT)
                break
        printed, said = running.communicate(timeout=120)
    assert (running.returncode, printed) == (130, "")
    assert said.endswith("interrupted\n")
    assert [path for folder in (out, tmp_path / "temporary") for path in folder.iterdir()] == []

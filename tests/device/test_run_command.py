"""``edge-sdk run`` as its users run it: a process with a bundle, a source and a broker."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
from device_run import NOWHERE, StartDevice, configured, offline, written
from tiny_bundle import RATE, tone

from edge_sdk.contract.messages import Alert
from edge_sdk.demo.broker import EmbeddedBroker
from edge_sdk.monitor.store import Store
from edge_sdk.monitor.subscriber import Subscriber


def stored(store: Store, device: str) -> list[Alert]:
    alerts = [received.message for received in store.alerts(device=device)]
    return sorted(alerts, key=lambda alert: alert.seq)


def test_events_arrive_with_time_and_model_and_nothing_waits(
    run_device_process: StartDevice,
    tones_bundle: Path,
    two_tones: Path,
    tmp_path: Path,
    broker: EmbeddedBroker,
    store: Store,
) -> None:
    words = ["--source", two_tones, "--broker", broker.url, "--receiver-id", "monitor"]
    where = ["--site", "wood", "--device", "box-1", "--outbox", tmp_path / "outbox", "--drain-s", "60"]
    done = run_device_process(tones_bundle, *words, *where, "--json").finished()
    assert done.code == 0, done.err
    summary = done.document
    assert summary["events"] == {"low": 1, "high": 1}
    assert (summary["ended"], summary["error"], summary["signed"]) == ("source_ended", None, False)
    assert summary["coverage"] == {"inspected_s": 6.5, "elapsed_s": 6.5, "share": 1.0, "faults": {}}
    assert summary["outbox"]["waiting"] == 0
    alerts = stored(store, "box-1")
    assert [(alert.label, alert.type) for alert in alerts] == [
        ("low", "new"),
        ("low", "end"),
        ("high", "new"),
        ("high", "end"),
    ]
    first = alerts[0]
    assert (first.site, first.device, first.session) == ("wood", "box-1", summary["session"])
    assert first.started_at == "2026-05-01T12:00:00.800Z"
    assert (first.clock.source, first.clock.synced, first.source) == ("file_name", False, two_tones.name)
    assert (first.model.name, first.model.variant) == ("tones", "tflite-float32")
    assert store.counts().devices == 1


def test_an_unreachable_broker_stops_nothing_and_the_next_run_delivers(
    run_device_process: StartDevice,
    tones_bundle: Path,
    two_tones: Path,
    tmp_path: Path,
    broker: EmbeddedBroker,
) -> None:
    words = ["--source", two_tones, "--outbox", tmp_path / "outbox", "--json"]
    alone = run_device_process(tones_bundle, *words, "--broker", NOWHERE, "--drain-s", "2").finished()
    assert alone.code == 0
    assert alone.document["outbox"]["waiting"] == 5
    assert "nothing listens" in alone.err
    assert "5 messages wait" in alone.err
    words += ["--redirect-waiting", "--drain-s", "60"]  # the broker has come back elsewhere
    after = run_device_process(tones_bundle, *words, "--broker", broker.url).finished()
    assert after.code == 0, after.err
    assert after.document["outbox"]["waiting"] == 0


def test_sigterm_ends_what_is_open_and_keeps_the_outbox(
    run_device_process: StartDevice, tones_bundle: Path, tmp_path: Path
) -> None:
    endless = written(tmp_path / "endless.wav", tone(300, 120))
    words = offline(f"{endless}?pace=realtime", tmp_path)
    device = run_device_process(tones_bundle, *words)
    device.wait_for("new    low")
    device.process.send_signal(signal.SIGTERM)
    done = device.finished()
    assert done.code == 0, done.err
    assert "end    low" in done.out
    assert "stopped" in done.out
    assert "3 messages wait" in done.out


def test_an_event_that_is_open_at_kill_9_gets_exactly_one_end(
    run_device_process: StartDevice,
    tones_bundle: Path,
    two_tones: Path,
    tmp_path: Path,
    broker: EmbeddedBroker,
    store: Store,
) -> None:
    endless = written(tmp_path / "endless.wav", tone(300, 120))
    words = ["--broker", broker.url, "--receiver-id", "monitor", "--device", "box-9"]
    words += ["--outbox", str(tmp_path / "outbox")]
    with Subscriber(broker.url, device="box-9") as subscriber:
        device = run_device_process(tones_bundle, "--source", f"{endless}?pace=realtime", *words)
        next(iter(subscriber))  # what was published is on the device's disk
    device.process.kill()
    device.finished()
    for _ in range(2):
        done = run_device_process(
            tones_bundle, "--source", two_tones, *words, "--drain-s", "60", "--json"
        ).finished()
        assert done.code == 0, done.err
    alerts = stored(store, "box-9")
    (opened,) = [alert for alert in alerts if alert.clock.source == "system" and alert.type == "new"]
    (ended,) = [alert for alert in alerts if alert.end_reason == "restarted"]
    assert (ended.event_id, ended.started_at) == (opened.event_id, opened.started_at)
    assert ended.score == opened.score
    assert ended.session != opened.session
    assert len({alert.seq for alert in alerts}) == len(alerts)


def test_a_configuration_file_with_its_own_thresholds_is_enough(
    run_device_process: StartDevice, tones_bundle: Path, two_tones: Path, tmp_path: Path
) -> None:
    config = configured(tmp_path, tones_bundle, two_tones, "[rules.high]\nthreshold = 1.0")
    done = run_device_process(config, "--json", "--drain-s", "0").finished()
    assert done.code == 0, done.err
    assert done.document["events"] == {"low": 1}
    assert (tmp_path / "outbox").is_dir()


def test_twelve_hours_can_be_stopped_at_any_time(
    run_device_process: StartDevice, tones_bundle: Path, tmp_path: Path
) -> None:
    source = written(tmp_path / "long.wav", tone(300, 2), "PCM_16")
    size = 12 * 3600 * RATE * 2
    with source.open("rb+") as file:  # sparse: it takes no room on the disk
        header = bytearray(file.read(44))
        header[4:8], header[40:44] = (36 + size).to_bytes(4, "little"), size.to_bytes(4, "little")
        file.seek(0)
        file.write(header)
        file.truncate(44 + size)
    words = offline(source, tmp_path)
    device = run_device_process(tones_bundle, *words)
    device.wait_for("new    low")
    device.process.send_signal(signal.SIGTERM)
    done = device.finished()
    assert done.code == 0, done.err
    assert "stopped: 1 x low" in done.out


def test_a_reader_that_goes_away_does_not_end_the_device(
    run_device_process: StartDevice, tones_bundle: Path, two_tones: Path, tmp_path: Path
) -> None:
    words = offline(two_tones, tmp_path)
    device = run_device_process(tones_bundle, *words)
    assert device.process.stdout is not None
    device.process.stdout.close()  # `| head` that has seen enough
    assert device.process.stderr is not None
    told = device.process.stderr.read()
    assert device.process.wait(120) == 0, told
    assert told.count("the work goes on") == 1
    after = run_device_process(tones_bundle, *words, "--json").finished()
    assert after.document["outbox"]["waiting"] == 10  # both runs kept two events and a coverage


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS takes UTF-8 names only")
def test_a_name_that_is_no_utf_8_is_heard_in_a_folder_and_told_in_valid_text(
    run_device_process: StartDevice, tones_bundle: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "card"
    folder.mkdir()
    written(folder / "x.wav", tone(300, 2)).rename(folder / os.fsdecode(b"bad\xff.wav"))
    (folder / os.fsdecode(b"worse\xff\x1b[31m.wav")).touch()
    words = offline(folder, tmp_path)
    done = run_device_process(tones_bundle, *words, "--json").finished()
    assert done.code == 0, done.err
    assert done.document["events"] == {"low": 1}
    assert done.document["coverage"]["faults"] == {"unreadable_file": 1}
    assert "worse\ufffd\ufffd[31m.wav is empty" in done.err


def test_the_end_of_a_source_is_said_plainly(
    run_device_process: StartDevice, tones_bundle: Path, two_tones: Path, tmp_path: Path
) -> None:
    words = offline(two_tones, tmp_path)
    done = run_device_process(tones_bundle, *words).finished()
    assert "the source has ended, nothing listens any more: 1 x high, 1 x low" in done.out

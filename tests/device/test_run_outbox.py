"""What ``edge-sdk run`` says of its outbox: damage, and messages that wait."""

from __future__ import annotations

import signal
from pathlib import Path

from device_run import NOWHERE, StartDevice
from stored_states import wait_for_state

from edge_sdk.contract.messages import Reported
from edge_sdk.demo.broker import EmbeddedBroker
from edge_sdk.monitor.store import Store


def test_a_damaged_outbox_is_kept_told_and_replaced(
    run_device_process: StartDevice,
    tones_bundle: Path,
    two_tones: Path,
    tmp_path: Path,
    broker: EmbeddedBroker,
    store: Store,
) -> None:
    words = ["--source", two_tones, "--outbox", tmp_path / "outbox", "--receiver-id", "monitor", "--json"]
    away = run_device_process(tones_bundle, *words, "--broker", NOWHERE, "--drain-s", "0").finished()
    assert away.code == 0, away.err
    file = tmp_path / "outbox" / "outbox.sqlite"
    content = file.read_bytes()
    file.write_bytes(content[:4096] + bytes(4096) + content[8192:])

    done = run_device_process(tones_bundle, *words, "--broker", broker.url, "--drain-s", "60").finished()

    assert done.code == 0, done.err
    kept = Path(done.document["outbox"]["kept_aside"])
    assert kept.parent == file.parent
    assert f"it is kept as {kept}" in done.err
    assert "Traceback" not in done.err
    assert (done.document["outbox"]["waiting"], done.document["outbox"]["sent"]) == (0, 5)
    assert wait_for_state(store, Reported).kept_aside == kept.name


def test_at_the_end_it_says_how_many_messages_wait_and_for_whom(
    run_device_process: StartDevice,
    tones_bundle: Path,
    two_tones: Path,
    tmp_path: Path,
    broker: EmbeddedBroker,
    store: Store,
) -> None:
    source = f"{two_tones}?pace=realtime"
    words = ["--source", source, "--outbox", tmp_path / "outbox", "--broker", broker.url]
    typo = ["--receiver-id", "montior", "--drain-s", "0", "--json"]
    device = run_device_process(tones_bundle, *words, *typo)
    device.wait_for("receiver 'monitor' confirms; this device waits for 'montior'", on_stderr=True)
    device.process.send_signal(signal.SIGTERM)
    done = device.finished()
    assert done.code == 0, done.err
    assert "messages wait in" in done.err
    assert "this device waits for 'montior'" in done.document["outbox"]["waiting_because"]


def test_at_the_end_it_says_that_the_broker_was_away(
    run_device_process: StartDevice, tones_bundle: Path, two_tones: Path, tmp_path: Path
) -> None:
    words = ["--source", two_tones, "--outbox", tmp_path / "outbox", "--broker", NOWHERE]
    done = run_device_process(tones_bundle, *words, "--drain-s", "3").finished()
    assert done.code == 0, done.err
    assert "sent 0 messages" in done.out
    assert "why they wait: nothing listens on" in done.out


def test_what_waits_for_a_test_broker_is_not_sent_to_another_unasked(
    run_device_process: StartDevice,
    tones_bundle: Path,
    two_tones: Path,
    tmp_path: Path,
    broker: EmbeddedBroker,
    store: Store,
) -> None:
    words = ["--source", two_tones, "--outbox", tmp_path / "outbox", "--receiver-id", "monitor", "--json"]
    test = run_device_process(tones_bundle, *words, "--broker", NOWHERE, "--drain-s", "0").finished()
    assert test.document["outbox"]["waiting"] == 5

    refused = run_device_process(tones_bundle, *words, "--broker", broker.url).finished()
    assert refused.code == 2
    assert "5 messages wait in" in refused.err
    assert "for broker 127.0.0.1:1, not for 127.0.0.1" in refused.document["message"]
    assert "--redirect-waiting" in refused.document["hint"]
    assert store.counts().alerts == 0

    words += ["--redirect-waiting", "--drain-s", "60"]
    sent = run_device_process(tones_bundle, *words, "--broker", broker.url).finished()
    assert sent.code == 0, sent.err
    assert "what waited for broker 127.0.0.1:1 goes to this one" in sent.err
    assert (sent.document["outbox"]["waiting"], sent.document["outbox"]["sent"]) == (0, 10)

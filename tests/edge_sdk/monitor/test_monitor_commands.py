"""``edge-sdk monitor`` and ``edge-sdk watch`` as processes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from device_messages import DEVICE, make_status, topic_of
from fake_device import FakeDevice

from edge_sdk import Alert, Store
from edge_sdk.demo.broker import EmbeddedBroker

NO_BROKER = "mqtt://127.0.0.1:9"


@contextlib.contextmanager
def edge_sdk(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-P" if sys.version_info >= (3, 11) else "-I", "-m", "edge_sdk.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def line_with(words: str, stream: object) -> str:
    """Wait for a line; the test's timeout is the limit."""
    seen = []
    for line in stream:  # type: ignore[attr-defined]
        seen.append(line)
        if words in line:
            return str(line)
    raise AssertionError(f"no '{words}' in {seen}")


@pytest.fixture
def monitor_arguments(broker: EmbeddedBroker, tmp_path: Path) -> list[str]:
    receiver_id = f"server-{uuid.uuid4().hex[:8]}"
    database = str(tmp_path / "alerts.db")
    return ["monitor", "--broker", broker.url, "--database", database, "--receiver-id", receiver_id]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_monitor_stores_confirms_and_ends_cleanly(
    monitor_arguments: list[str], device: FakeDevice, alert: Callable[..., Alert], number: signal.Signals
) -> None:
    with edge_sdk(*monitor_arguments) as process:
        line_with("connected to", process.stdout)
        device.deliver([alert(1), alert(2)])
        device.send_bytes(topic_of(alert(3)), b"{}")
        device.wait_until_confirmed(2)
        line_with("quarantined a payload of 2 bytes", process.stdout)
        process.send_signal(number)
        out, err = process.communicate()

    assert process.returncode == 0
    assert err == ""
    assert "stored 2, duplicates dropped 0, conflicts 0, bad payloads 1" in out
    assert "alerts 2, messages missing 0" in out


def test_the_monitor_sums_up_as_one_json_object(
    monitor_arguments: list[str], device: FakeDevice, alert: Callable[..., Alert]
) -> None:
    with edge_sdk(*monitor_arguments, "--json") as process:
        line_with("connected to", process.stderr)
        device.deliver([alert(1), alert(4)])
        device.wait_until_confirmed(2)
        process.terminate()
        out, _ = process.communicate()

    summary = json.loads(out)
    assert summary["this_run"] == {
        "stored": 2,
        "duplicates": 0,
        "conflicts": 0,
        "bad_payloads": 0,
        "given_up": 0,
    }
    assert summary["in_database"]["alerts"] == 2
    assert summary["missing"] == 2


def test_the_monitor_says_when_the_broker_goes_and_comes(tmp_path: Path) -> None:
    database = str(tmp_path / "alerts.db")
    with (
        EmbeddedBroker(tmp_path / "broker") as broker,
        edge_sdk("monitor", "--broker", broker.url, "--database", database) as process,
    ):
        line_with("connected to", process.stdout)
        broker.kill()
        line_with("broke", process.stdout)
        broker.start()
        line_with("connected to", process.stdout)


def test_a_monitor_that_may_wait_starts_before_its_broker(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path / "broker") as broker:
        broker.kill()
        arguments = ["--broker", broker.url, "--database", str(tmp_path / "alerts.db"), "--wait"]
        with edge_sdk("monitor", *arguments) as process:
            line_with("nothing listens", process.stdout)
            broker.start()
            line_with("connected to", process.stdout)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["monitor", "--broker", NO_BROKER, "--database", "{tmp}/a.db"], 1, "nothing listens"),
        (["watch", "--broker", NO_BROKER], 1, "nothing listens"),
        (["monitor", "--broker", NO_BROKER, "--database", "{tmp}/none/a.db"], 1, "unable to open"),
        (["monitor", "--broker", NO_BROKER, "--database", "{tmp}/text"], 1, "not a database"),
        (
            ["monitor", "--broker", NO_BROKER, "--database", "{tmp}/b", "--receiver-id", "A B"],
            2,
            "receiver id",
        ),
        (["monitor", "--broker", "broker", "--database", "{tmp}/b"], 2, "not the address"),
        (["watch", "--broker", NO_BROKER, "--site", "My Site"], 1, "cannot be part of a topic"),
        (["watch", "--broker", NO_BROKER, "--count", "0"], 2, "not 1 or more"),
        (["watch", "--broker", NO_BROKER, "--for", "nan"], 2, "not a number of seconds"),
        (["watch"], 2, "--broker"),
    ],
)
def test_what_cannot_work_is_said_in_one_sentence(
    arguments: list[str], code: int, words: str, tmp_path: Path
) -> None:
    (tmp_path / "text").write_text("no pages" * 1000)
    with edge_sdk(*[argument.format(tmp=tmp_path) for argument in arguments]) as process:
        out, err = process.communicate()

    assert process.returncode == code
    assert words in err
    assert "Traceback" not in out + err


def test_watch_prints_one_json_object_a_line(
    broker: EmbeddedBroker, device: FakeDevice, alert: Callable[..., Alert], site: str
) -> None:
    with edge_sdk("watch", "--broker", broker.url, "--site", site, "--json", "--count", "2") as process:
        line_with("connected to", process.stderr)
        device.send(make_status(site=site))
        # It goes by another topic, and no broker promises which of two topics comes first.
        status = json.loads(line_with("status", process.stdout))
        device.send(alert(1))
        device.send_bytes(topic_of(alert(2)), b"{}")
        device.send(alert(5))
        out, err = process.communicate()

    assert (status["kind"], status["message"]["state"]) == ("status", "online")
    items = [json.loads(line) for line in out.splitlines()]
    assert [item["kind"] for item in items] == ["alert", "bad_payload", "alert", "gap"]
    assert items[0]["message"]["event_id"] == alert(1).event_id
    assert (items[-1]["first"], items[-1]["last"]) == (2, 4)
    assert process.returncode == 0
    assert "alerts 2" in err


def test_watch_prints_plain_lines_where_there_is_no_terminal(
    broker: EmbeddedBroker, device: FakeDevice, alert: Callable[..., Alert], site: str
) -> None:
    with edge_sdk("watch", "--broker", broker.url, "--site", site) as process:
        line_with("connected to", process.stderr)
        device.send(alert(1))
        line = line_with("gunshot", process.stdout)
        process.terminate()
        process.communicate()

    assert f"{site}/{DEVICE}" in line
    assert process.returncode == 0


def test_watch_that_is_given_a_time_ends_then(broker: EmbeddedBroker, site: str) -> None:
    with edge_sdk("watch", "--broker", broker.url, "--site", site, "--for", "0.1") as process:
        process.communicate()
        assert process.returncode == 0

    few = ["--for", "0.1", "--count", "1"]
    with edge_sdk("watch", "--broker", broker.url, "--site", site, *few) as process:
        process.communicate()
        assert process.returncode == 1, "fewer alerts came than were asked for"


def test_watch_fills_a_terminal_and_gives_it_back(
    broker: EmbeddedBroker, device: FakeDevice, alert: Callable[..., Alert], site: str
) -> None:
    pty = pytest.importorskip("pty")
    controller, terminal = pty.openpty()
    command = [sys.executable, "-m", "edge_sdk.cli", "watch", "--broker", broker.url, "--site", site]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "30"}
    process = subprocess.Popen(command, stdout=terminal, stderr=terminal, env=environment)
    os.close(terminal)
    shown = b""

    def read_until(words: bytes) -> None:
        nonlocal shown
        while words not in shown:
            shown += os.read(controller, 65536)

    try:
        read_until(b"connected to")
        device.send(make_status(site=site))
        device.send(alert(1))
        read_until(b"gunshot")
        process.terminate()
        read_until(b"alerts 1, duplicates 0")
        assert process.wait() == 0
    finally:
        process.kill()
        process.wait()
        os.close(controller)

    assert b"\x1b[?1049h" in shown, "the alternate screen"
    assert b"\x1b[?1049l" in shown, "given back"


def test_what_the_monitor_stored_can_be_read_while_it_runs(
    monitor_arguments: list[str], device: FakeDevice, alert: Callable[..., Alert]
) -> None:
    with edge_sdk(*monitor_arguments) as process:
        line_with("connected to", process.stdout)
        device.deliver([alert(1)])
        device.wait_until_confirmed(1)

        with Store(monitor_arguments[4], read_only=True) as store:
            assert [received.message for received in store.alerts()] == [alert(1)]

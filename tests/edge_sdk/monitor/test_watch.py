"""What a person or a program sees of ``edge-sdk watch``, without a broker."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from datetime import timedelta

import pytest
from device_messages import DEVICE, NOON, SITE, STREAM, make_alert, make_status, raw_message
from rich.console import Console

from edge_sdk.contract.messages import Alert, Clock, Status, encode_message
from edge_sdk.monitor.incoming import BadPayload, DeviceName, Received
from edge_sdk.monitor.intake import Conflict, Counters, Overflow
from edge_sdk.monitor.seq_ledger import SeqGap
from edge_sdk.monitor.watch_lines import as_json, as_line
from edge_sdk.monitor.watch_state import WatchedItem, WatchState, latency_s
from edge_sdk.monitor.watch_table import Header, render

GAP = SeqGap(*STREAM, 5, 8)
BAD = BadPayload("edge/v1/north/box-07/up/alert/gunshot", b"\xff{", NOON, DeviceName(SITE, DEVICE), "no JSON")
HEADER = Header("every site", is_connected=True, condition="connected to mqtt://broker:1883")


def alert(seq: int = 1, **changes: object) -> Received[Alert]:
    message = make_alert(seq, **changes)
    raw = raw_message(message)
    return Received(message, raw.topic, NOON + timedelta(seconds=0.25), raw.payload)


def status(**changes: str) -> Received[Status]:
    message = make_status(**changes)
    raw = raw_message(message)
    return Received(message, raw.topic, NOON, raw.payload)


def state_of(items: Sequence[WatchedItem]) -> WatchState:
    state = WatchState()
    for item in items:
        state.apply(item)
    return state


def screen(state: WatchState, *, width: int, height: int, counters: Counters | None = None) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height, color_system=None)
    with console.capture() as capture:
        console.print(render(HEADER, state, counters or Counters(), width=width, height=height))
    return capture.get().splitlines()


def test_an_event_is_open_from_its_first_message_to_its_end() -> None:
    state = state_of([alert(1, type="new"), alert(2, type="update", score=0.99)])
    (going_on,) = state.open_events.values()
    assert going_on.message.score == 0.99

    state.apply(alert(3, type="end", end_reason="silence"))
    assert not state.open_events
    assert [received.message.seq for received in state.latest] == [3, 2, 1]


def test_a_message_that_comes_after_its_events_end_opens_nothing() -> None:
    state = state_of([alert(3, type="end", end_reason="silence"), alert(1, type="new")])

    assert not state.open_events


def test_an_older_message_does_not_replace_a_newer_one() -> None:
    state = state_of([alert(2, type="update", score=0.99), alert(1, type="new", score=0.8)])

    assert [received.message.seq for received in state.open_events.values()] == [2]


def test_a_device_is_what_it_said_last() -> None:
    state = state_of([status(), status(device="box-08"), status(state="offline")])

    assert state.devices == {(SITE, DEVICE): "offline", (SITE, "box-08"): "online"}


def test_memory_stays_bounded() -> None:
    state = state_of(
        [alert(seq, event_id=f"01936a2e-7c1b-7d3a-8f00-{seq:012d}") for seq in range(1, 3_000)] + [GAP] * 50
    )

    assert len(state.latest) == 200
    assert len(state.open_events) == 1_000
    assert len(state.problems) == 3


def test_latency_is_counted_from_the_end_of_what_had_been_heard() -> None:
    received = alert()

    assert latency_s(received.message, received.received_at) == 0.25


def test_a_recordings_times_give_no_latency() -> None:
    received = alert(clock=Clock(source="file_mtime", synced=True))

    assert latency_s(received.message, received.received_at) is None
    assert json.loads(as_json(received))["latency_s"] is None


def test_an_alert_as_json_holds_the_message_as_it_was_sent() -> None:
    received = alert()

    assert json.loads(as_json(received)) == {
        "kind": "alert",
        "received_at": "2026-11-22T12:00:00.250Z",
        "topic": "edge/v1/north/box-07/up/alert/gunshot",
        "latency_s": 0.25,
        "message": json.loads(encode_message(received.message)),
    }


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (status(), {"kind": "status", "topic": "edge/v1/north/box-07/up/status"}),
        (GAP, {"kind": "gap", "site": SITE, "device": DEVICE, "first": 5, "last": 8, "count": 4}),
        (BAD, {"kind": "bad_payload", "topic": BAD.topic, "reason": "no JSON", "payload_base64": "/3s="}),
        (Conflict(alert()), {"kind": "conflict"}),
        (Overflow(7), {"kind": "overflow", "count": 7}),
    ],
)
def test_everything_else_as_json_says_its_kind(item: WatchedItem, expected: dict[str, object]) -> None:
    text = as_json(item)

    assert "\n" not in text
    assert expected.items() <= json.loads(text).items()


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (alert(level_dbfs=-23.5), ["gunshot", "0.93 (threshold 0.80)", "new 2.0 s", "-23.5 dBFS", "0.25 s"]),
        (alert(type="end", end_reason="source_lost"), ["end 2.0 s (source_lost)"]),
        (status(state="offline"), ["north/box-07", "offline"]),
        (GAP, ["4 messages of north/box-07", "seq 5 to 8"]),
        (SeqGap(*STREAM, 5, 5), ["1 message of", "seq 5 of"]),
        (BAD, ["2 bytes", BAD.topic, "no JSON"]),
        (Conflict(alert(9)), ["seq 9", "two different messages"]),
        (Overflow(7), ["7 messages were given up"]),
    ],
)
def test_a_line_for_a_person_says_it_all(item: WatchedItem, words: list[str]) -> None:
    line = as_line(item)

    assert [word for word in words if word not in line] == []


def test_the_table_fits_an_80_column_terminal_and_cuts_nothing() -> None:
    many = [
        alert(
            seq,
            type=("new", "end")[seq % 2],
            end_reason=(None, "source_lost")[seq % 2],
            site="sungai-utik",
            level_dbfs=-23.5,
            label="chainsaw",
            event_id=f"01936a2e-7c1b-7d3a-8f00-{seq:012d}",
        )
        for seq in range(1, 60)
    ]
    lines = screen(state_of([*many, status(), GAP, BAD]), width=80, height=24, counters=Counters(alerts=59))

    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    rows = [line for line in lines if "chainsaw" in line]
    assert len(rows) > 8
    assert all("box-07" in row and "0.93 ≥ 0.80" in row and "2.0 s" in row and "…" not in row for row in rows)
    assert any("0.25 s" in row for row in rows)
    assert any("source_lost" in row for row in rows)
    assert any("● north/box-07 online" in line for line in lines)
    assert any(line.startswith("alerts 59 ·") for line in lines)
    assert sum(line.startswith("! ") for line in lines) == 2


def test_devices_of_several_sites_are_told_apart_and_a_wide_terminal_has_the_level_too() -> None:
    state = state_of([alert(1, site="north", level_dbfs=-23.5), alert(2, site="south", level_dbfs=-23.5)])
    narrow, wide = ("\n".join(screen(state, width=width, height=24)) for width in (80, 120))

    assert "north/box-07" in narrow
    assert "south/box-07" in narrow
    assert "-23.5" not in narrow
    assert wide.count("-23.5") == 2 + len(state.open_events)


def test_each_alert_is_shown_with_the_time_that_it_is_about() -> None:
    times = {"started_at": "2026-11-22T11:59:58.000Z", "ended_at": "2026-11-22T12:00:12.500Z"}
    items = [alert(1, type="new", **times), alert(2, type="end", end_reason="silence", **times)]
    rows = [line for line in screen(state_of(items), width=80, height=24) if "gunshot" in line]

    assert [as_line(item)[:24] for item in items] == [times["started_at"], times["ended_at"]]
    assert ["12:00:12" in row for row in rows] == [True, False]
    assert ["11:59:58" in row for row in rows] == [False, True]


def test_an_empty_table_says_that_nothing_came_yet() -> None:
    text = "\n".join(screen(WatchState(), width=80, height=24))

    assert "connected to mqtt://broker:1883" in text
    assert "no device has reported yet" in text
    assert "none yet" in text

"""What the publisher does when something happens, one thing at a time."""

from __future__ import annotations

from typing import Any

import pytest
from outbox_alerts import DEVICE, SESSION, SITE

from device.stamper import BuildAlert
from edge_sdk.contract.messages import (
    ALERT_MAX_BYTES,
    Reported,
    Status,
    decode_message,
    encode_message,
)
from edge_sdk.errors import BrokerError, MessageError

Bench = Any  # of conftest.py, which cannot be imported

OTHER_SESSION = "0190c1f0-0000-7000-8000-0000000000ff"


def _status(state: Any, session: str) -> bytes:
    return encode_message(Status(state=state, device=DEVICE, site=SITE, session=session))


def test_a_connection_begins_with_status_reported_and_probe(bench: Bench) -> None:
    bench.connect()
    (status,) = bench.published(bench.topics.status)
    assert decode_message(status.payload, Status).state == "online"
    assert status.retain
    (reported,) = bench.published(bench.topics.reported)
    assert decode_message(reported.payload, Reported).variant == "int8"
    assert reported.retain
    assert not bench.published(bench.topics.probe)[0].retain
    assert len(bench.published(bench.topics.probe)[0].payload) == ALERT_MAX_BYTES, "as the longest alert"


def test_no_alert_goes_out_before_the_probe_has_come_back(bench: Bench, alert: BuildAlert) -> None:
    bench.put(alert, 3)
    bench.connect(prove=False)
    bench.dispatcher.send(now=0.0)
    assert bench.sent() == []
    bench.deliver(bench.topics.probe, b'{"session":"%s","nonce":"old"}' % OTHER_SESSION.encode())
    bench.dispatcher.send(now=0.0)
    assert bench.sent() == []
    bench.deliver(bench.topics.probe, encode_message(bench.probe()))
    bench.dispatcher.send(now=0.0)
    assert bench.sent() == [1, 2, 3]


@pytest.mark.parametrize("which", ["bench", "puback_bench"])
def test_a_probe_that_does_not_come_back_is_told_and_asked_again(
    which: str, request: pytest.FixtureRequest, alert: BuildAlert
) -> None:
    bench = request.getfixturevalue(which)
    bench.put(alert, 1)
    bench.connect(now=0.0, prove=False)
    assert bench.dispatcher.wake_at() == 30.0
    bench.dispatcher.send(now=30.0)
    (fault,) = bench.faults
    assert "does not come back" in fault.message
    assert "edge/v1/forest/box-7/up/#" in fault.hint
    assert len(bench.published(bench.topics.probe)) == 2
    assert bench.sent() == []
    assert bench.dispatcher.wake_at() == 60.0


def test_nonsense_on_our_topics_is_told(bench: Bench) -> None:
    bench.connect()
    for topic in (bench.topics.receipt, bench.topics.status, bench.topics.probe):
        bench.deliver(topic, b"\xff{")
    assert [type(fault) for fault in bench.faults] == [MessageError] * 3


def test_a_message_that_ends_three_connections_is_set_aside_and_the_rest_goes_on(
    bench: Bench, alert: BuildAlert
) -> None:
    bench.put(alert, 10)
    for _ in range(5):
        bench.connect()
        bench.dispatcher.send(now=0.0)
        while bench.sent()[-1] != 4 and 4 not in bench.sent()[-8:]:
            bench.dispatcher.acknowledged(bench.sent()[-1])
            bench.dispatcher.send(now=0.0)
        bench.disconnect()
        if bench.faults:
            break
        for seq in (1, 2, 3):
            bench.receipt(ranges=[(seq, seq)])
    assert "message 4 ended connection after connection" in bench.faults[0].message
    assert bench.dispatcher.counts.set_aside == 1

    bench.connect()
    reported = decode_message(bench.published(bench.topics.reported)[-1].payload, Reported)
    assert reported.set_aside == 1
    before = len(bench.sent())
    for _ in range(10):
        bench.dispatcher.send(now=0.0)
        bench.dispatcher.acknowledged(bench.sent()[-1])
    assert set(bench.sent()[before:]) == {5, 6, 7, 8, 9, 10}


def test_a_message_that_cannot_travel_is_set_aside_at_once(
    bench: Bench, alert: BuildAlert, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.put(alert, 3)
    bench.connect()
    publish = bench.connection.publish

    def picky(topic: str, payload: bytes, **options: Any) -> bool:
        if options.get("token") == 2:
            raise MessageError("no such topic in MQTT")
        taken: bool = publish(topic, payload, **options)
        return taken

    monkeypatch.setattr(bench.connection, "publish", picky)
    bench.dispatcher.send(now=0.0)
    assert bench.sent() == [1, 3]
    assert bench.dispatcher.counts.set_aside == 1
    assert len(bench.published(bench.topics.reported)) == 2


@pytest.mark.parametrize("session", [SESSION, OTHER_SESSION])
def test_a_will_that_comes_late_is_contradicted(bench: Bench, session: str) -> None:
    """Of an earlier process, or of our own last connection."""
    bench.connect()
    bench.deliver(bench.topics.status, _status("offline", session))
    states = [decode_message(message.payload, Status) for message in bench.published(bench.topics.status)]
    assert [status.state for status in states] == ["online", "online"]
    assert {status.session for status in states} == {"0190c1f0-0000-7000-8000-000000000001"}


def test_our_own_goodbye_is_not_contradicted(bench: Bench) -> None:
    """A broker sends it to us too, often before it acknowledges it."""
    bench.connect()
    bench.dispatcher.say_offline(token=0)
    goodbye = bench.published(bench.topics.status)[-1]
    bench.deliver(bench.topics.status, goodbye.payload)
    states = [decode_message(message.payload, Status) for message in bench.published(bench.topics.status)]
    assert [status.state for status in states] == ["online", "offline"]


def test_the_retained_state_from_before_us_needs_no_answer(bench: Bench) -> None:
    bench.connect()
    bench.deliver(bench.topics.status, _status("offline", OTHER_SESSION), retained=True)
    assert len(bench.published(bench.topics.status)) == 1


def test_another_process_of_the_same_name_is_told(bench: Bench) -> None:
    bench.connect()
    bench.deliver(bench.topics.status, _status("online", OTHER_SESSION))
    assert "another process publishes as forest.box-7" in bench.faults[0].message


def test_an_outbox_that_cannot_be_read_is_told_and_asked_again_later(bench: Bench, alert: BuildAlert) -> None:
    bench.put(alert, 1)
    bench.connect()
    bench.outbox.close()
    bench.dispatcher.send(now=0.0)
    bench.dispatcher.send(now=1.0)
    assert len(bench.faults) == 1
    assert bench.dispatcher.wake_at() == 5.0


def test_why_messages_wait_is_told_by_what_stands_in_their_way(bench: Bench, alert: BuildAlert) -> None:
    assert "no connection" in bench.dispatcher.why_waiting()
    bench.dispatcher.link_failed(BrokerError("wrong password"), now=0.0)
    assert bench.dispatcher.why_waiting() == "wrong password"
    bench.connect(prove=False)
    assert "does not come back" in bench.dispatcher.why_waiting()


def test_reasons_that_alternate_are_told_once_each_until_a_connection_has_lasted(bench: Bench) -> None:
    def fail(reason: str, *, at: float, stood_s: float) -> None:
        bench.connect(at)
        bench.disconnect()
        bench.dispatcher.link_failed(BrokerError(reason), at + stood_s)

    for second in range(20):
        fail("broke" if second % 2 else "closed", at=float(second), stood_s=0.5)
    assert [fault.message for fault in bench.faults] == ["closed", "broke"]
    fail("broke", at=30.0, stood_s=60.0)
    assert [fault.message for fault in bench.faults] == ["closed", "broke", "broke"]


def test_another_process_of_the_same_name_is_told_once(bench: Bench) -> None:
    for now in range(5):
        bench.connect(float(now))
        bench.deliver(bench.topics.status, _status("online", OTHER_SESSION))
        bench.disconnect()
    assert len(bench.faults) == 1

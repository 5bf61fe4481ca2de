"""A connection comes back, tells each reason once, and leaves nothing behind."""

from __future__ import annotations

import gc
import threading

import psutil
import pytest
from mqtt_recorder import Connect, Recorder
from paho.mqtt.client import Client

from edge_sdk.demo.broker import EmbeddedBroker
from edge_sdk.errors import BrokerError
from edge_sdk.mqtt.attempt import Attempt
from edge_sdk.mqtt.connection import ReceivedMessage


def test_comes_back_and_subscribes_again_after_the_broker_was_killed(
    connect: Connect,
) -> None:
    with EmbeddedBroker() as mortal:
        connection, recorder = connect(mortal.url, subscriptions=["a/b"])
        recorder.next("connected")
        mortal.kill()
        recorder.next("disconnected")
        assert not connection.publish("a/b", b"lost")
        assert "broke" in str(recorder.next("failed"))
        mortal.restart()
        recorder.next("connected")
        assert connection.publish("a/b", b"again")
        assert recorder.next("received") == ReceivedMessage("a/b", b"again")
        connection.stop()


def test_comes_back_where_paho_trips_over_the_end_of_its_own_thread(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It looks at it twice, and may find None the second time."""
    loop_stop = Client.loop_stop

    def trip(client: Client) -> None:
        loop_stop(client)
        raise AttributeError("'NoneType' object has no attribute 'join'")

    monkeypatch.setattr(Client, "loop_stop", trip)
    with EmbeddedBroker() as mortal:
        connection, recorder = connect(mortal.url)
        recorder.next("connected")
        mortal.kill()
        recorder.next("disconnected")
        mortal.restart()
        recorder.next("connected")
        connection.stop()
    assert "defect" not in caplog.text


def test_a_defect_ends_a_connection_as_a_broken_link_does(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run = Attempt.run

    def trip(attempt: Attempt, stopping: threading.Event) -> None:
        run(attempt, stopping)
        raise RuntimeError("nobody expected this")

    monkeypatch.setattr(Attempt, "run", trip)
    with EmbeddedBroker() as mortal:
        connection, recorder = connect(mortal.url)
        recorder.next("connected")
        mortal.kill()
        recorder.next("disconnected")
        assert "nobody expected this" in str(recorder.next("failed"))
        assert not connection.is_connected
        mortal.restart()
        recorder.next("connected")
        connection.stop()
    assert caplog.text.count("Traceback") == 1  # however many attempts ended so meanwhile


def test_comes_back_after_a_defect_of_its_listener_and_logs_it(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[BrokerError] = []

    def trip_once(_: Recorder, error: BrokerError) -> None:
        told.append(error)
        if len(told) == 1:
            raise RuntimeError("nobody expected this")

    monkeypatch.setattr(Recorder, "failed", trip_once)
    with EmbeddedBroker() as mortal:
        connection, recorder = connect(mortal.url)
        recorder.next("connected")
        mortal.kill()
        mortal.restart()
        recorder.next("connected")
        connection.stop()
    assert "nobody expected this" in caplog.text
    assert len(told) > 1


def test_connections_that_are_over_leave_no_file_open(broker: EmbeddedBroker, connect: Connect) -> None:
    """A device on a bad link makes many; waiting for the garbage collector would be too long."""
    gc.collect()
    gc.disable()
    try:
        before = psutil.Process().num_fds()
        for _ in range(3):
            connection, _ = connect(broker.url)
            connection.require()
            connection.stop()
        assert psutil.Process().num_fds() <= before  # an earlier test's threads may still close some
    finally:
        gc.enable()


def test_two_clients_of_one_name_are_told_so_and_do_not_fill_the_log(
    broker: EmbeddedBroker,
    connect: Connect,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The broker ends the older connection each time that the other client comes back."""
    who: dict[str, object] = {"client_id": "twin", "namesake": "another device use the name forest.box-7"}
    who["lasting_s"] = 600.0  # on a slow machine too, no connection here has lasted
    _, one = connect(broker.url, **who)
    one.next("connected")
    connect(broker.url, **who)
    question = "does another device use the name forest.box-7?"
    while question not in str(one.next("failed")):
        pass
    for _ in range(3):  # the broker has each twin wait for a second
        assert question in str(one.next("failed"))
    told = [record.getMessage() for record in caplog.records if question in record.getMessage()]
    assert len(told) <= 2, "once by each"


def test_a_connection_that_has_lasted_makes_every_reason_news_again(
    connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    with EmbeddedBroker() as mortal:
        connection, recorder = connect(mortal.url, lasting_s=0.0)
        for _ in range(3):
            recorder.next("connected")
            mortal.kill()
            recorder.next("failed")
            mortal.restart()
        recorder.next("connected")
        connection.stop()
    assert sum(" broke: " in record.getMessage() for record in caplog.records) == 3

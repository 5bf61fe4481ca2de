"""Messages over a real broker."""

from __future__ import annotations

import socket

import pytest
from mqtt_recorder import Connect

from edge_sdk.demo.broker import EmbeddedBroker
from edge_sdk.errors import MessageError
from edge_sdk.mqtt.connection import ReceivedMessage, Will


def test_a_message_goes_from_one_connection_to_another(broker: EmbeddedBroker, connect: Connect) -> None:
    _, listener = connect(broker.url, subscriptions=["there/#"])
    listener.next("connected")
    sender, acknowledgements = connect(broker.url)
    acknowledgements.next("connected")
    assert sender.publish("there/x", b"hello", token=42)
    assert acknowledgements.next("acknowledged") == 42
    assert listener.next("received") == ReceivedMessage("there/x", b"hello")


def test_a_retained_message_is_marked_for_whoever_comes_later(
    broker: EmbeddedBroker, connect: Connect
) -> None:
    sender, acknowledgements = connect(broker.url)
    sender.require()
    assert sender.publish("kept/x", b"state", retain=True, token=1)
    acknowledgements.next("acknowledged")
    _, listener = connect(broker.url, subscriptions=["kept/+"])
    assert listener.next("received") == ReceivedMessage("kept/x", b"state", retained=True)


def test_the_will_comes_when_a_client_vanishes_and_not_when_it_says_goodbye(
    broker: EmbeddedBroker, connect: Connect
) -> None:
    _, watcher = connect(broker.url, subscriptions=["will/+"])
    watcher.next("connected")
    polite, _ = connect(broker.url, client_id="polite", will=Will("will/polite", b"gone"))
    polite.require()
    polite.stop()
    rude, _ = connect(broker.url, client_id="rude", will=Will("will/rude", b"gone"))
    rude.require()
    assert rude._attempt is not None
    link = rude._attempt._client.socket()
    assert isinstance(link, socket.socket)
    link.shutdown(socket.SHUT_RDWR)
    received = watcher.next("received")
    assert isinstance(received, ReceivedMessage)
    assert received.topic == "will/rude"


def test_what_cannot_travel_over_mqtt_is_refused_at_once(broker: EmbeddedBroker, connect: Connect) -> None:
    connection, _ = connect(broker.url)
    connection.require()
    for topic in ("a/#", "", "x" * 70_000, "surrogate-\ud800"):
        with pytest.raises(MessageError):
            connection.publish(topic, b"")

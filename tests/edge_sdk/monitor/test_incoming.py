from __future__ import annotations

import dataclasses
import json

import msgspec
import pytest
from device_messages import (
    DEVICE,
    NOON,
    SITE,
    STREAM,
    make_alert,
    make_coverage,
    make_dropped,
    make_reported,
    make_status,
    raw_message,
)
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.contract.messages import ALERT_MAX_BYTES, encode_message
from edge_sdk.contract.topics import Topics
from edge_sdk.monitor.incoming import MAX_SEQ, BadPayload, Message, RawMessage, Received, parse

GUNSHOTS = Topics(SITE, DEVICE).alert("gunshot")


def refused(payload: bytes, topic: str = GUNSHOTS) -> BadPayload:
    bad = parse(RawMessage(topic, payload, NOON))
    assert isinstance(bad, BadPayload)
    return bad


@pytest.mark.parametrize(
    "message", [make_alert(), make_coverage(), make_dropped(3, (1, 2)), make_status(), make_reported()]
)
def test_every_message_of_a_device_is_read_with_its_topic_and_time(message: Message) -> None:
    raw = raw_message(message)

    assert parse(raw) == Received(message, raw.topic, NOON, raw.payload)


@pytest.mark.parametrize(
    "topic",
    [
        f"edge/v1/{SITE}/{DEVICE}/up/probe",
        f"edge/v1/{SITE}/{DEVICE}/down/receipt",
        f"edge/v2/{SITE}/{DEVICE}/up/status",
        "homeassistant/status",
        "",
    ],
)
def test_other_topics_are_not_ours_to_judge(topic: str) -> None:
    assert parse(RawMessage(topic, b"{}", NOON)) is None


def test_a_payload_that_names_another_device_than_its_topic_is_refused() -> None:
    bad = refused(encode_message(make_alert(device="box-08")))

    assert "box-08" in bad.reason
    assert bad.sender == (SITE, DEVICE)


def test_a_payload_about_another_label_than_its_topic_is_refused() -> None:
    assert "chainsaw" in refused(encode_message(make_alert(label="chainsaw"))).reason


def test_an_alert_larger_than_the_contract_allows_is_refused() -> None:
    assert str(ALERT_MAX_BYTES) in refused(encode_message(make_alert(source="x" * ALERT_MAX_BYTES))).reason


def test_the_key_of_a_refused_payload_is_read_where_it_can_be() -> None:
    broken = json.loads(encode_message(make_alert(17)))
    del broken["score"]

    bad = refused(json.dumps(broken).encode())

    assert "score" in bad.reason
    assert (bad.stream, bad.seq) == (STREAM, 17)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff\xfe",
        encode_message(make_alert())[:-20],
        b"[" * 100_000,
        b'{"epoch":"00ff00ff00ff00ff","seq":1,"extra":' + b"[" * 7_000 + b"}",
        b'{"epoch":"00ff00ff00ff00ff","seq":0}',
        b'{"epoch":"not hex","seq":1}',
        b'{"epoch":"00ff00ff00ff00ff","seq":"\\ud800"}',
        msgspec.json.encode({"epoch": "00ff00ff00ff00ff", "seq": MAX_SEQ + 1}),
    ],
)
def test_a_payload_without_a_readable_key_is_refused_without_one(payload: bytes) -> None:
    bad = refused(payload)

    assert bad.reason
    assert (bad.stream, bad.seq) == (None, None)


def test_a_number_that_no_database_can_count_is_refused() -> None:
    assert refused(encode_message(make_alert(MAX_SEQ + 1))).seq is None
    assert isinstance(parse(raw_message(make_alert(MAX_SEQ))), Received)


@given(st.binary(max_size=200))
def test_no_bytes_are_fatal(payload: bytes) -> None:
    assert refused(payload).payload == payload


@given(st.text(max_size=80), st.binary(max_size=50))
def test_no_topic_is_fatal(topic: str, payload: bytes) -> None:
    parse(RawMessage(topic, payload, NOON))


@given(st.data())
def test_a_damaged_alert_is_refused_or_still_names_its_own_device(data: st.DataObject) -> None:
    raw = raw_message(make_alert(5))
    place = data.draw(st.integers(0, len(raw.payload) - 1))
    damaged = raw.payload[:place] + data.draw(st.binary(min_size=1, max_size=1)) + raw.payload[place + 1 :]

    result = parse(dataclasses.replace(raw, payload=damaged))

    assert result is not None
    assert (result.stream or STREAM)[:2] == (SITE, DEVICE)

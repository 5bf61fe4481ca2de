"""Payloads from anywhere are either right or refused, and times survive the journey."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from example_contract import example_messages
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.contract.messages import Alert, decode_message, encode_message, format_utc, parse_utc
from edge_sdk.errors import MessageError

MESSAGES = example_messages()
DOCUMENTS: dict[str, dict[str, Any]] = {
    name: json.loads(encode_message(message)) for name, message in MESSAGES.items()
}
FIELDS = [(name, field) for name, document in DOCUMENTS.items() for field in document]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(payload=st.binary(max_size=200), name=st.sampled_from(sorted(MESSAGES)))
def test_bytes_from_anywhere_are_refused_by_name(payload: bytes, name: str) -> None:
    with pytest.raises(MessageError, match=f"{name} message does not hold"):
        decode_message(payload, type(MESSAGES[name]))


@given(place=st.sampled_from(FIELDS), value=anything)
def test_a_field_of_any_content_is_read_or_refused(place: tuple[str, str], value: object) -> None:
    name, field = place
    payload = json.dumps({**DOCUMENTS[name], field: value}).encode()
    try:
        message = decode_message(payload, type(MESSAGES[name]))
    except MessageError:
        return
    # What was read can be sent on, and means the same to the next reader.
    assert decode_message(encode_message(message), type(message)) == message


@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_a_message_may_lack_only_what_has_a_default(name: str, field: str) -> None:
    payload = json.dumps({key: value for key, value in DOCUMENTS[name].items() if key != field}).encode()
    message_type = type(MESSAGES[name])
    optional = {known.name for known in msgspec.structs.fields(message_type) if not known.required}
    if field in optional:
        decode_message(payload, message_type)
    else:
        with pytest.raises(MessageError, match=field):
            decode_message(payload, message_type)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("score", 1.0001),
        ("score", -0.1),
        ("threshold", 80),
        ("seq", 0),
        ("site", "North"),
        ("device", "box/07"),
        ("device", "box-07\n"),
        ("label", "gun shot"),
        ("label", "gunshot\n"),
        ("epoch", "00ff"),
        ("event_id", "not-a-uuid"),
        ("started_at", "2026-11-22 04:05:06"),
        ("started_at", "2026-11-22T04:05:06.789+02:00"),
        ("started_at", "2026-11-22T04:05:06Z"),
        ("started_at", "٢٠٢٦-11-22T04:05:06.789Z"),
        ("type", "begin"),
        ("end_reason", "tired"),
        ("uptime_s", -1.0),
    ],
)
def test_value_outside_its_bounds_is_refused_by_field(field: str, value: object) -> None:
    payload = json.dumps({**DOCUMENTS["alert"], field: value}).encode()
    with pytest.raises(MessageError, match=field):
        decode_message(payload, Alert)


def test_a_message_nested_without_end_is_refused() -> None:
    with pytest.raises(MessageError, match="alert message does not hold"):
        decode_message(b'{"later":' + b"[" * 100_000, Alert)


def test_a_message_of_another_version_is_refused() -> None:
    other = encode_message(MESSAGES["alert"]).replace(b'"schema_version":1', b'"schema_version":2')
    with pytest.raises(MessageError, match="schema_version"):
        decode_message(other, Alert)


def test_fields_of_a_later_release_are_ignored() -> None:
    payload = json.dumps({**DOCUMENTS["alert"], "mood": "good"}).encode()
    assert decode_message(payload, Alert) == MESSAGES["alert"]


moments = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001  (hypothesis wants them without, and adds it)
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.just(timezone.utc),
)


@given(moment=moments, hours=st.integers(-12, 14))
def test_times_are_utc_in_milliseconds_and_come_back(moment: datetime, hours: int) -> None:
    text = format_utc(moment.astimezone(timezone(timedelta(hours=hours))))
    assert len(text) == len("2026-11-22T04:05:06.789Z")
    assert timedelta(0) <= moment - parse_utc(text) < timedelta(milliseconds=1)
    assert format_utc(parse_utc(text)) == text


def test_time_without_a_zone_is_refused() -> None:
    with pytest.raises(MessageError, match="no time zone"):
        format_utc(datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    "text", ["", "now", "2026-13-01T00:00:00.000Z", "2026-01-01T00:00:00.000", "2026-01-01"]
)
def test_text_that_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(MessageError, match="not a UTC time"):
        parse_utc(text)

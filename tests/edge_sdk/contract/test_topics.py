"""Topics hold a site, a device and a label, and nothing that would reach further."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.contract.topics import Topics, alert_filter, parse_topic
from edge_sdk.errors import MessageError

names = st.from_regex(r"[a-z0-9_-]{1,64}", fullmatch=True)
labels = st.from_regex(r"[a-z0-9_]{1,64}", fullmatch=True)


def test_topics_are_those_of_the_protocol() -> None:
    topics = Topics("north", "box-07")
    assert topics.status == "edge/v1/north/box-07/up/status"
    assert topics.reported == "edge/v1/north/box-07/up/reported"
    assert topics.coverage == "edge/v1/north/box-07/up/coverage"
    assert topics.dropped == "edge/v1/north/box-07/up/dropped"
    assert topics.probe == "edge/v1/north/box-07/up/probe"
    assert topics.receipt == "edge/v1/north/box-07/down/receipt"
    assert topics.alert("gunshot") == "edge/v1/north/box-07/up/alert/gunshot"


def test_a_ranger_hears_of_every_gunshot() -> None:
    assert alert_filter(label_id="gunshot") == "edge/v1/+/+/up/alert/gunshot"
    assert alert_filter("north", "box-07") == "edge/v1/north/box-07/up/alert/+"


@given(site=names, device=names, label=labels)
def test_topic_is_split_into_what_it_was_made_of(site: str, device: str, label: str) -> None:
    topics = Topics(site, device)
    assert parse_topic(topics.alert(label)) == (topics, f"up/alert/{label}")
    assert parse_topic(topics.receipt) == (topics, "down/receipt")


@given(name=st.text(max_size=80))
def test_name_that_could_mean_more_than_one_level_is_refused(name: str) -> None:
    if re.fullmatch(r"[a-z0-9_-]{1,64}", name):
        Topics(name, name)
        return
    for make in (lambda: Topics(name, "a"), lambda: Topics("a", name), lambda: alert_filter(site=name)):
        with pytest.raises(MessageError, match="cannot be part of a topic"):
            make()


@given(label=st.text(max_size=80))
def test_label_that_could_mean_more_than_one_level_is_refused(label: str) -> None:
    if re.fullmatch("[a-z0-9_]{1,64}", label):
        return
    with pytest.raises(MessageError, match="cannot be part of a topic"):
        Topics("a", "b").alert(label)


@given(topic=st.text(max_size=60))
def test_other_topics_are_refused(topic: str) -> None:
    with pytest.raises(MessageError):
        parse_topic(topic)


@pytest.mark.parametrize(
    "topic",
    [
        "edge/v2/north/box/up/status",
        "edge/v1/north/box/sideways/status",
        "edge/v1/north/box/up",
        "edge/v1//box/up/status",
        "edge/v1/north/BOX/up/status",
        "edge/v1/+/box/up/status",
    ],
)
def test_near_misses_are_refused(topic: str) -> None:
    with pytest.raises(MessageError):
        parse_topic(topic)

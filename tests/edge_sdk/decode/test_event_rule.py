"""Windows become events by the rule, and each event has one beginning and one end."""

from __future__ import annotations

from typing import Any

import pytest
from event_windows import STEP, pushed, replay, rule

from edge_sdk.contract.values import Event, WindowScores
from edge_sdk.decode.event_rule import EventRules


def told(events: list[Event]) -> list[tuple[str, int, int, int]]:
    return [(event.type, event.start, event.stop, event.decided_at) for event in events]


# --- opening ---


def test_one_hit_opens_an_event_where_the_rule_asks_for_one() -> None:
    (event,) = pushed(EventRules({"gunshot": rule()}), [0.0, 0.9])
    assert event == Event("new", "gunshot", 25, 125, 0.9, 0.8, -9.0, 125)


def test_score_exactly_at_threshold_is_a_hit_and_one_just_below_is_not() -> None:
    assert len(pushed(EventRules({"gunshot": rule()}), [0.8])) == 1
    assert pushed(EventRules({"gunshot": rule()}), [0.7999999]) == []


def test_hits_exactly_within_their_span_open_an_event_and_one_sample_less_does_not() -> None:
    scores = [0.9, 0.0, 0.9]
    assert told(pushed(EventRules({"gunshot": rule(hits=2, within_samples=150)}), scores)) == [
        ("new", 0, 150, 150)
    ]
    assert pushed(EventRules({"gunshot": rule(hits=2, within_samples=149)}), scores) == []


def test_event_begins_with_the_first_of_the_hits_that_opened_it() -> None:
    far = [0.9, *[0.0] * 10, 0.81, 0.95]
    (event,) = pushed(EventRules({"gunshot": rule(hits=2, within_samples=150)}), far)
    assert (event.start, event.stop, event.score, event.level_dbfs) == (275, 400, 0.95, -9.5)


def test_labels_do_not_know_of_each_other_and_labels_without_rule_open_nothing() -> None:
    rules = EventRules({"a": rule(), "b": rule(threshold=0.3, release=0.3)})
    events = rules.push(WindowScores(0, 100, {"a": 0.5, "b": 0.5, "c": 1.0}, -3.0))
    assert [(event.label_id, event.threshold) for event in events] == [("b", 0.3)]


# --- going on and ending ---


def test_event_ends_when_min_gap_has_passed_and_not_one_window_before() -> None:
    rules = EventRules({"gunshot": rule()})
    assert [event.type for event in pushed(rules, [0.9, 0.49, 0.49, 0.49])] == ["new"]
    assert told(pushed(rules, [0.49], first=100)) == [("end", 0, 100, 200)]


def test_event_goes_on_at_exactly_release() -> None:
    events = replay(rule(), [0.9, 0.5, 0.0, 0.0, 0.0])
    assert told(events) == [("new", 0, 100, 100), ("end", 0, 125, 200)]
    assert events[-1].end_reason == "source_ended"


def test_event_without_min_gap_ends_with_the_first_window_below_release() -> None:
    events = replay(rule(min_gap_samples=0), [0.9, 0.6, 0.4, 0.9])
    assert told(events) == [
        ("new", 0, 100, 100),
        ("end", 0, 125, 150),
        ("new", 75, 175, 175),
        ("end", 75, 175, 175),
    ]
    assert [event.end_reason for event in events] == [None, "silence", None, "source_ended"]


def test_event_of_exactly_max_duration_is_whole_and_a_longer_one_is_cut_and_opens_anew() -> None:
    cut = rule(max_duration_samples=150)
    assert told(replay(cut, [0.9] * 3)) == [("new", 0, 100, 100), ("end", 0, 150, 150)]
    events = replay(cut, [0.9] * 4)
    assert told(events) == [
        ("new", 0, 100, 100),
        ("end", 0, 150, 175),
        ("new", 75, 175, 175),
        ("end", 75, 175, 175),
    ]
    assert events[1].end_reason == "max_duration"


def test_updates_come_when_due_with_the_peak_so_far() -> None:
    events = pushed(EventRules({"gunshot": rule(update_every_samples=50)}), [0.8, 0.95, 0.6, 0.6, 0.6])
    assert [(event.type, event.decided_at, event.stop, event.score) for event in events] == [
        ("new", 100, 100, 0.8),
        ("update", 150, 150, 0.95),
        ("update", 200, 200, 0.95),
    ]


def test_open_events_are_told_as_they_stand() -> None:
    rules = EventRules({"gunshot": rule()})
    assert rules.open_events == ()
    pushed(rules, [0.9, 0.95])
    assert told(list(rules.open_events)) == [("update", 0, 125, 125)]
    rules.close("stopped")
    assert rules.open_events == ()


# --- what was not heard ---


def test_gap_of_exactly_min_gap_is_bridged_and_a_longer_one_is_not() -> None:
    rules = EventRules({"gunshot": rule()})
    pushed(rules, [0.9])
    assert rules.gap(100) == []
    (end,) = rules.gap(1)
    assert (end.type, end.stop, end.decided_at, end.end_reason) == ("end", 100, 201, "source_lost")


def test_gap_of_unknown_length_ends_every_event() -> None:
    rules = EventRules({"gunshot": rule()})
    pushed(rules, [0.9])
    assert [event.end_reason for event in rules.gap(0)] == ["source_lost"]


def test_sound_after_a_short_gap_belongs_to_the_same_event() -> None:
    rules = EventRules({"gunshot": rule()})
    pushed(rules, [0.9])
    rules.gap(60)
    assert pushed(rules, [0.9], first=160) == []
    assert told(rules.close("stopped")) == [("end", 0, 260, 260)]


def test_hits_before_a_gap_do_not_count_after_it() -> None:
    rules = EventRules({"gunshot": rule(hits=2, within_samples=1000)})
    pushed(rules, [0.9])
    rules.gap(1)
    assert pushed(rules, [0.9], first=101) == []


def test_window_that_could_not_be_inspected_is_no_negative() -> None:
    rules = EventRules({"gunshot": rule(hits=2, within_samples=1000)})
    pushed(rules, [0.9])
    assert rules.miss(STEP) == []
    assert [event.type for event in pushed(rules, [0.9], first=50)] == ["new"]


def test_event_ends_as_lost_when_nothing_could_be_inspected_for_longer_than_min_gap() -> None:
    rules = EventRules({"gunshot": rule()})
    pushed(rules, [0.9])
    ends = [event for _ in range(6) for event in rules.miss(STEP)]
    assert [(event.end_reason, event.stop) for event in ends] == [("source_lost", 100)]


@pytest.mark.parametrize("reason", ["source_ended", "stopped", "source_lost"])
def test_close_gives_its_reason_once(reason: Any) -> None:
    rules = EventRules({"gunshot": rule()})
    pushed(rules, [0.9])
    assert [event.end_reason for event in rules.close(reason)] == [reason]
    assert rules.close(reason) == []

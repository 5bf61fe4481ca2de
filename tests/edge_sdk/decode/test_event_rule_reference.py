"""Events are those of the rule in hindsight, for any scores and gaps; each has one beginning and one end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from event_windows import STEP, WINDOW, replay, rule
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.contract.manifest import Rule
from edge_sdk.contract.values import Event, WindowScores
from edge_sdk.decode.event_rule import EventRules


@dataclass(frozen=True)
class Heard:
    start: int
    stop: int
    peak: float
    opened_at: int
    ended_at: int
    reason: str


def reference(one: Rule, scores: Sequence[float]) -> list[Heard]:
    """The rule in hindsight: looks at the whole recording again for every event."""
    start = [STEP * i for i in range(len(scores))]
    stop = [s + WINDOW for s in start]
    heard: list[Heard] = []
    fresh = 0
    while (opening := _opening(one, scores, start, stop, fresh)) is not None:
        first, opened = opening
        loud = [i for i in range(opened, len(scores)) if i == opened or scores[i] >= one.release]
        ended, reason = len(scores), "source_ended"
        for i in range(opened + 1, len(scores)):
            last = max(k for k in loud if k < i)
            if scores[i] < one.release and stop[i] - stop[last] >= one.min_gap_samples:
                ended, reason = i, "silence"
                break
            if i in loud and stop[i] - start[first] > one.max_duration_samples:
                ended, reason = i, "max_duration"
                break
        last = max(k for k in loud if k < ended)
        ended_at = stop[min(ended, len(scores) - 1)]
        heard.append(
            Heard(start[first], stop[last], max(scores[first:ended]), stop[opened], ended_at, reason)
        )
        fresh = ended
    return heard


def _opening(
    one: Rule, scores: Sequence[float], start: list[int], stop: list[int], fresh: int
) -> tuple[int, int] | None:
    for i in range(fresh, len(scores)):
        hits = [k for k in range(fresh, i + 1) if scores[k] >= one.threshold]
        if i in hits and len(hits) >= one.hits and stop[i] - start[hits[-one.hits]] <= one.within_samples:
            return hits[-one.hits], i
    return None


some_scores = st.lists(st.sampled_from([0.0, 0.3, 0.49, 0.5, 0.6, 0.79, 0.8, 0.9, 1.0]), max_size=60)
some_rules = st.builds(
    rule,
    hits=st.integers(1, 4),
    within_samples=st.integers(WINDOW, 400),
    min_gap_samples=st.integers(0, 300),
    max_duration_samples=st.integers(1, 600),
    update_every_samples=st.integers(0, 200),
    release=st.sampled_from([0.3, 0.5, 0.8]),
)


@given(one=some_rules, scores=some_scores)
def test_events_are_those_of_the_reference(one: Rule, scores: list[float]) -> None:
    events = replay(one, scores)
    news = [event for event in events if event.type == "new"]
    ends = [event for event in events if event.type == "end"]
    heard = [
        Heard(end.start, end.stop, end.score, new.decided_at, end.decided_at, str(end.end_reason))
        for new, end in zip(news, ends, strict=True)
    ]
    assert heard == reference(one, scores)


some_steps = st.lists(
    st.one_of(
        st.tuples(st.just("score"), st.sampled_from([0, 40, 60, 90])),
        st.tuples(st.just("gap"), st.integers(0, 300)),
        st.tuples(st.just("miss"), st.just(STEP)),
    ),
    max_size=80,
)


@given(one=some_rules, steps=some_steps)
def test_every_event_has_one_new_and_one_end_in_order(one: Rule, steps: list[tuple[str, int]]) -> None:
    rules = EventRules({"gunshot": one})
    events: list[Event] = []
    position = 0
    for kind, value in steps:
        if kind == "score":
            window = WindowScores(position, position + WINDOW, {"gunshot": value / 100}, -1.0)
            events += rules.push(window)
            position += STEP
        else:
            events += rules.gap(value) if kind == "gap" else rules.miss(value)
            position += value + (WINDOW if kind == "gap" else 0)
    events += rules.close("stopped")
    lives: dict[int, list[str]] = {}
    for event in events:
        lives.setdefault(event.start, []).append(event.type)
        assert event.start < event.stop <= event.decided_at
        assert one.threshold <= event.score <= 1.0
        assert (event.end_reason is None) == (event.type != "end")
    for life in lives.values():
        assert life[0] == "new"
        assert life[-1] == "end"
        assert set(life[1:-1]) <= {"update"}
    assert rules.open_events == ()

"""Scores as windows of a stream, and a rule to replay them by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from edge_sdk.contract.manifest import Rule
from edge_sdk.contract.values import Event, WindowScores
from edge_sdk.decode.event_rule import EventRules

__all__ = ["BASE", "STEP", "WINDOW", "pushed", "replay", "rule", "windows"]

WINDOW, STEP = 100, 25
BASE = Rule(
    threshold=0.8,
    release=0.5,
    hits=1,
    within_samples=WINDOW,
    min_gap_samples=100,
    max_duration_samples=100_000,
)


def rule(**changes: Any) -> Rule:
    """The base with changes."""
    return msgspec.structs.replace(BASE, **changes)


def windows(scores: Sequence[float], first: int = 0) -> list[WindowScores]:
    """One window a score, a step apart."""
    starts = range(first, first + STEP * len(scores), STEP)
    return [
        WindowScores(start, start + WINDOW, {"gunshot": score}, -score * 10)
        for start, score in zip(starts, scores, strict=True)
    ]


def pushed(rules: EventRules, scores: Sequence[float], first: int = 0) -> list[Event]:
    """What rules that are under way make of further scores."""
    return [event for window in windows(scores, first) for event in rules.push(window)]


def replay(one: Rule, scores: Sequence[float]) -> list[Event]:
    """What a rule makes of all scores of a recording."""
    rules = EventRules({"gunshot": one})
    return pushed(rules, scores) + rules.close("source_ended")

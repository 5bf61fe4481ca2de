"""What the scores of whole recordings are worth: alerts, false alarms, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.contract.manifest import Rule
from edge_sdk.contract.values import WindowScores
from edge_sdk.decode.event_rule import EventRules
from edge_sdk.metrics.classification import Share, label_metrics
from edge_sdk.metrics.events import EventCount

from .base import FRONT_END, STEP_SAMPLES, WINDOW_SAMPLES
from .dataset import LABELS, Clip

Scores = NDArray[np.float64]

_SECONDS_AN_HOUR = 3600.0


def events_in(scores: Scores, rules: Mapping[str, Rule]) -> dict[str, int]:
    """How many events the rules make of a recording's scores ``[windows, labels]``."""
    decided = EventRules(rules)
    counts = dict.fromkeys(rules, 0)
    for index, row in enumerate(scores):
        start = index * STEP_SAMPLES
        by_label = dict(zip(LABELS, map(float, row), strict=True))
        window = WindowScores(start, start + WINDOW_SAMPLES, by_label, 0.0)
        for event in decided.push(window):
            counts[event.label_id] += event.type == "new"
    return counts


def judge(clips: Sequence[Clip], scores: Sequence[Scores], rules: Mapping[str, Rule]) -> dict[str, Any]:
    """Figures per label over recordings, each with what it rests on.

    A recording's score for a label is the highest of its windows, and it counts as detected if
    the event rule opens an event. Recordings of which nobody can say count for neither side.
    """
    counts = [events_in(windows, rules) for windows in scores]
    return {label: _one_label(label, clips, scores, counts, rules) for label in rules}


def _one_label(
    label: str,
    clips: Sequence[Clip],
    scores: Sequence[Scores],
    counts: Sequence[Mapping[str, int]],
    rules: Mapping[str, Rule],
) -> dict[str, Any]:
    column = LABELS.index(label)
    known = [index for index, clip in enumerate(clips) if label not in clip.unknown]
    truth = np.array([[label in clips[index].labels] for index in known])
    peaks = np.array([[scores[index][:, column].max()] for index in known])
    detected = np.array([[counts[index][label] > 0] for index in known])
    metrics = label_metrics([label], truth, detected, peaks)[0]
    without = [index for index in known if label not in clips[index].labels]
    hours = sum(_hours(scores[index]) for index in without)
    false_alarms = EventCount(label, sum(counts[index][label] for index in without), hours)
    worst = sorted(without, key=lambda index: -float(scores[index][:, column].max()))[:5]
    return {
        "threshold": rules[label].threshold,
        "hits": rules[label].hits,
        "auc": metrics.auc,
        "auc_interval": asdict(metrics.auc_interval) if metrics.auc_interval else None,
        "recall": share(metrics.recall),
        "precision": share(metrics.precision),
        "specificity": share(metrics.specificity),
        "false_alarms": {
            "events": false_alarms.events,
            "hours": round(hours, 4),
            "per_hour_at_most": round(false_alarms.per_hour_at_most, 2),
        },
        "worst_without": {
            clips[index].path: round(float(scores[index][:, column].max()), 3) for index in worst
        },
    }


def share(counted: Share) -> dict[str, Any]:
    """A share with its numbers and exact interval."""
    interval = counted.interval
    return {
        "hits": counted.hits,
        "n": counted.n,
        "value": None if counted.value is None else round(counted.value, 4),
        "low": round(interval.low, 4),
        "high": round(interval.high, 4),
    }


def _hours(scores: Scores) -> float:
    heard = WINDOW_SAMPLES + (len(scores) - 1) * STEP_SAMPLES
    return heard / FRONT_END.sample_rate_hz / _SECONDS_AN_HOUR

"""What a watcher prints where there is no terminal: lines for people, or JSON objects."""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from ..contract.messages import Alert, Status, format_utc
from .incoming import BadPayload, Received
from .intake import Conflict, Problem
from .problem_text import describe_problem
from .seq_ledger import SeqGap
from .watch_state import WatchedItem, duration_s, latency_s

__all__ = ["as_json", "as_line", "clock_time", "told_time"]


def as_line(item: WatchedItem) -> str:
    """One line for a person."""
    if not isinstance(item, Received):
        return f"! {describe_problem(item)}"
    if isinstance(item.message, Status):
        status = item.message
        return f"{format_utc(item.received_at)}  {status.site}/{status.device}  is {status.state}"
    return _alert_line(item.message, latency_s(item.message, item.received_at))


def as_json(item: WatchedItem) -> str:
    """One JSON object; ``kind`` says what it is."""
    return msgspec.json.encode(_fields(item)).decode()


def clock_time(moment: str) -> str:
    """The time of day, UTC, of a message's time."""
    return moment[11:19]


def told_time(alert: Alert) -> str:
    """The moment that an alert is about: when the sound began; later, up to when it was heard."""
    return alert.started_at if alert.type == "new" or alert.ended_at is None else alert.ended_at


def _state_text(alert: Alert) -> str:
    """``new``, or what became of the event since, with its duration in seconds."""
    lasted = duration_s(alert)
    words = [alert.type, *([f"{lasted:.1f} s"] if lasted is not None else [])]
    if alert.end_reason not in (None, "silence"):
        words.append(f"({alert.end_reason})")
    return " ".join(words)


def _alert_line(alert: Alert, latency: float | None) -> str:
    parts = [
        told_time(alert),
        f"{alert.site}/{alert.device}",
        alert.label,
        f"{alert.score:.2f} (threshold {alert.threshold:.2f})",
        _state_text(alert),
    ]
    if isinstance(alert.level_dbfs, float):
        parts.append(f"{alert.level_dbfs:.1f} dBFS")
    if latency is not None and alert.type != "end":
        parts.append(f"after {latency:.2f} s")
    return "  ".join(parts)


def _fields(item: WatchedItem) -> dict[str, Any]:
    if not isinstance(item, Received):
        return _problem_fields(item)
    head: dict[str, Any] = {
        "kind": "status" if isinstance(item.message, Status) else "alert",
        "received_at": format_utc(item.received_at),
        "topic": item.topic,
    }
    if isinstance(item.message, Alert):
        latency = latency_s(item.message, item.received_at)
        head["latency_s"] = None if latency is None else round(latency, 3)
    return {**head, "message": item.message}


def _problem_fields(problem: Problem) -> dict[str, Any]:
    if isinstance(problem, SeqGap):
        return {"kind": "gap", **msgspec.to_builtins(problem), "count": problem.count}
    if isinstance(problem, BadPayload):
        return {
            "kind": "bad_payload",
            "topic": problem.topic,
            "received_at": format_utc(problem.received_at),
            "reason": problem.reason,
            "payload_base64": base64.b64encode(problem.payload).decode(),
        }
    if isinstance(problem, Conflict):
        received = problem.received
        return {"kind": "conflict", "topic": received.topic, "message": received.message}
    return {"kind": "overflow", "count": problem.count}

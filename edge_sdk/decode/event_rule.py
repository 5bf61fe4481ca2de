"""From scores of overlapping windows to events with a beginning and an end.

Pure: no clock, no identity. Everything is counted in samples at the model's rate.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Literal

from ..contract.manifest import Rule
from ..contract.values import EndReason, Event, EventType, WindowScores

__all__ = ["EventRules"]


class EventRules:
    """The event rule of every label that has one.

    Windows must come in order. An event opens with the window that completes ``hits`` hits, and
    every event gets exactly one ``new`` and one ``end``, provided that :meth:`close` comes last.

    Args:
        rules: Rule by label id; labels without one never become events.
    """

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        self._rules = [_LabelRule(label_id, rule) for label_id, rule in rules.items()]
        self._position = 0

    @property
    def open_events(self) -> tuple[Event, ...]:
        """Events that have begun and not ended, as an ``update`` would tell them now."""
        return tuple(rule.told("update", self._position) for rule in self._rules if rule.is_open)

    def push(self, window: WindowScores) -> list[Event]:
        """Take the next window, and tell what it changes."""
        self._position = window.stop
        events: list[Event] = []
        for rule in self._rules:
            rule.push(window, events)
        return events

    def gap(self, samples: int) -> list[Event]:
        """Take a stretch that was not heard.

        Hits before it no longer count. Events that it outlasts end as ``source_lost``.

        Args:
            samples: Its length; 0 stands for unknown, and outlasts every event.
        """
        for rule in self._rules:
            rule.forget_hits()
        return self.miss(samples) if samples else self.close("source_lost")

    def miss(self, samples: int) -> list[Event]:
        """Take a stretch that was heard but not inspected, because inference failed.

        Hits before it still count. Events that it outlasts, together with what was missed just
        before, end as ``source_lost``: nobody knows whether they went on.
        """
        self._position += samples
        events: list[Event] = []
        for rule in self._rules:
            rule.miss(samples, self._position, events)
        return events

    def close(self, reason: Literal["source_lost", "source_ended", "stopped"]) -> list[Event]:
        """End every open event, and forget everything before."""
        events: list[Event] = []
        for rule in self._rules:
            rule.forget_hits()
            rule.end(reason, self._position, events)
        return events


class _LabelRule:
    """One label's state: hits that may become an event, or the open event."""

    def __init__(self, label_id: str, rule: Rule) -> None:
        self._label_id = label_id
        self._rule = rule
        # The last `hits` hits are always the closest together; older ones cannot matter.
        self._hits: deque[WindowScores] = deque(maxlen=rule.hits)
        self.is_open = False
        self._start = self._stop = self._update_due = self._missed = 0
        self._peak = self._peak_level = 0.0

    def push(self, window: WindowScores, events: list[Event]) -> None:
        score = window.scores[self._label_id]
        self._missed = 0
        if self.is_open:
            self._follow(window, score, events)
        if not self.is_open and score >= self._rule.threshold:
            self._hit(window, events)

    def miss(self, samples: int, position: int, events: list[Event]) -> None:
        self._missed += samples
        if self._missed > self._rule.min_gap_samples:
            self.end("source_lost", position, events)

    def forget_hits(self) -> None:
        self._hits.clear()

    def end(self, reason: EndReason, position: int, events: list[Event]) -> None:
        if self.is_open:
            events.append(self.told("end", position, reason))
            self.is_open = False

    def told(self, kind: EventType, position: int, reason: EndReason | None = None) -> Event:
        """The open event as it stands."""
        return Event(
            type=kind,
            label_id=self._label_id,
            start=self._start,
            stop=self._stop,
            score=self._peak,
            threshold=self._rule.threshold,
            level_dbfs=self._peak_level,
            decided_at=position,
            end_reason=reason,
        )

    def _hit(self, window: WindowScores, events: list[Event]) -> None:
        hits = self._hits
        hits.append(window)
        enough = len(hits) == self._rule.hits
        if not enough or window.stop - hits[0].start > self._rule.within_samples:
            return
        best = max(hits, key=lambda hit: hit.scores[self._label_id])
        self._start, self._stop = hits[0].start, window.stop
        self._peak, self._peak_level = best.scores[self._label_id], best.level_dbfs
        self._update_due = window.stop + self._rule.update_every_samples
        self.is_open = True
        hits.clear()
        events.append(self.told("new", window.stop))

    def _follow(self, window: WindowScores, score: float, events: list[Event]) -> None:
        """Go on with the open event, or end it; a window that would stretch it too far begins afresh."""
        rule = self._rule
        if score < rule.release:
            if window.stop - self._stop >= rule.min_gap_samples:
                return self.end("silence", window.stop, events)
        elif window.stop - self._start > rule.max_duration_samples:
            return self.end("max_duration", window.stop, events)
        else:
            self._stop = window.stop
            if score > self._peak:
                self._peak, self._peak_level = score, window.level_dbfs
        if rule.update_every_samples and window.stop >= self._update_due:
            self._update_due = window.stop + rule.update_every_samples
            events.append(self.told("update", window.stop))
        return None

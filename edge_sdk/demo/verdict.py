"""What was staged against what was heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..console.table import text_table
from .soundscape import StagedSound

__all__ = ["HeardEvent", "Verdict", "judge"]


@dataclass(frozen=True, slots=True)
class HeardEvent:
    """One event as a subscriber received it.

    Attributes:
        label_id: What the device says it was.
        start_s, stop_s: When, in seconds from the start of the soundscape.
        score: Its peak.
    """

    label_id: str
    start_s: float
    stop_s: float
    score: float

    def __str__(self) -> str:
        return f"{self.label_id} {self.start_s:.1f}-{self.stop_s:.1f} s, score {self.score:.2f}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome.

    Attributes:
        heard: For each staged sound, the first event that matches it, or None.
        false: Events that match nothing staged.
    """

    heard: tuple[tuple[StagedSound, HeardEvent | None], ...]
    false: tuple[HeardEvent, ...]

    def passed(self, must_hear: str) -> bool:
        """True when no staged sound of that label was missed and no alert was false."""
        missed = any(event is None for staged, event in self.heard if staged.label_id == must_hear)
        return not missed and not self.false

    def table(self) -> str:
        """The staged sounds, for people."""
        rows = [
            [
                sound.label_id,
                f"{sound.start_s:.1f}-{sound.stop_s:.1f}",
                sound.origin,
                str(event) if event else "MISSED",
            ]
            for sound, event in self.heard
        ]
        return text_table(["staged", "seconds", "recording", "heard as"], rows)


def judge(staged: Sequence[StagedSound], events: Sequence[HeardEvent], slack_s: float) -> Verdict:
    """Match events to staged sounds of the same label that they overlap.

    Args:
        staged: The truth.
        events: What was received.
        slack_s: How far beyond a sound an event may reach: a window's length, since a window
            counts as a whole although the sound fills only part of it.
    """

    def matches(event: HeardEvent, sound: StagedSound) -> bool:
        return (
            event.label_id == sound.label_id
            and event.start_s < sound.stop_s + slack_s
            and sound.start_s - slack_s < event.stop_s
        )

    heard = tuple((sound, next((e for e in events if matches(e, sound)), None)) for sound in staged)
    false = tuple(event for event in events if not any(matches(event, sound) for sound in staged))
    return Verdict(heard, false)

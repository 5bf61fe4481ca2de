"""When scores count: as an event in a stream of sound, or as seen in a picture."""

from __future__ import annotations

from msgspec import Struct

from .identifiers import Count, PositiveInt, Score

__all__ = ["FrameRule", "Rule"]


class Rule(Struct, frozen=True, kw_only=True):
    """When scores of one label become an event. All lengths in samples at the model's rate.

    Attributes:
        threshold: A window counts when its score is at least this.
        release: An open event goes on while a score is at least this; at most ``threshold``.
        hits: Windows that must count before the event opens.
        within_samples: ... from the start of the first to the end of the last of them.
        min_gap_samples: An event ends when this much sound has passed below ``release``.
        max_duration_samples: An event that lasts longer is ended, and may open anew.
        update_every_samples: While it is open, an update is due this often. 0 for never.
    """

    threshold: Score
    release: Score
    hits: PositiveInt = 1
    within_samples: PositiveInt
    min_gap_samples: Count
    max_duration_samples: PositiveInt
    update_every_samples: Count = 0


class FrameRule(Struct, frozen=True, kw_only=True):
    """When a label counts as seen in a picture.

    Attributes:
        threshold: A score or a detection counts when it is at least this.
    """

    threshold: Score

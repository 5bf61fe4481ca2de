"""Whether one recording goes on where the one before it stopped."""

from __future__ import annotations

from datetime import datetime, timedelta

from edge_sdk.contract.values import Gap

__all__ = ["NOT_CONTIGUOUS", "TOLERANCE", "gap_between"]

TOLERANCE = timedelta(milliseconds=50)
NOT_CONTIGUOUS = "not_contiguous"


def gap_between(ended_at: datetime | None, starts_at: datetime | None, rate_hz: int) -> Gap | None:
    """What lies between two recordings; ``None`` where they meet.

    Args:
        ended_at: When the first stopped; ``None`` where it is not known.
        starts_at: When the second starts; ``None`` where it is not known.
        rate_hz: The second one's sample rate.

    Returns:
        A gap of the length that the times tell: 0 where they tell none, or where the recordings
        overlap.
    """
    if ended_at is None or starts_at is None:
        return Gap(0, rate_hz, NOT_CONTIGUOUS, starts_at)
    between = starts_at - ended_at
    if abs(between) <= TOLERANCE:
        return None
    return Gap(max(0, round(between.total_seconds() * rate_hz)), rate_hz, NOT_CONTIGUOUS, starts_at)

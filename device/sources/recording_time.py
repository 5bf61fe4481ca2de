"""When a recording began, from the name that its recorder gave it.

``S4A03895_20190522_000000.wav`` (Song Meter), ``20190522_000000.WAV`` (AudioMoth), either with a
fraction of a second as ``_123`` or ``.123`` behind. Such names carry no time zone; they are taken
as UTC, which is how recorders in the field are usually set. A recorder whose clock was never set
begins at 1970; what is before that, or after 2199, is no time of a recording.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path

__all__ = ["believable_seconds", "time_in_name"]

_TIME = re.compile(
    r"(?<!\d)(?P<date>\d{4}-?\d{2}-?\d{2})[_T-](?P<time>\d{2}[-:]?\d{2}[-:]?\d{2})"
    r"(?:[_.,](?P<fraction>\d{1,6}))?Z?(?![0-9])"
)

_FIRST_YEAR, _LAST_YEAR = 1970, 2199


def believable_seconds(timestamp: float) -> float:
    """Seconds since 1970, UTC, as a file system gives them: the nearest that may be a recording's."""
    return min(max(timestamp, 0.0), datetime(_LAST_YEAR, 12, 31, tzinfo=timezone.utc).timestamp())


def time_in_name(path: Path) -> datetime | None:
    """The time of the first sample, UTC; ``None`` where the name holds none, or none that can be."""
    found = _TIME.search(path.stem)
    if found is None:
        return None
    digits = re.sub(r"\D", "", found["date"] + found["time"])
    try:
        moment = datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=timezone.utc)
    except ValueError:
        return None
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        return None
    return moment.replace(microsecond=int((found["fraction"] or "0").ljust(6, "0")))

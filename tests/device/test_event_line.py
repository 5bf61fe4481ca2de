"""The lines that ``edge-sdk run`` prints of events: each has the time that it is about."""

from __future__ import annotations

from datetime import datetime, timezone

from msgspec.structs import replace

from device.run_summary import event_line
from edge_sdk.contract.values import Event

NOON = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)
NEW = Event(
    type="new",
    label_id="chainsaw",
    start=80_000,
    stop=112_000,
    score=0.91,
    threshold=0.8,
    level_dbfs=-23.0,
    decided_at=112_000,
    end_reason=None,
)


def test_a_new_event_has_the_time_of_its_beginning() -> None:
    line = "2026-11-22T12:00:00.000Z  new    chainsaw  score 0.91 (threshold 0.80)"
    assert event_line(NEW, NOON, 16_000) == line


def test_what_comes_later_has_the_time_up_to_which_it_was_heard() -> None:
    update = event_line(replace(NEW, type="update", stop=240_000), NOON, 16_000)
    assert update.startswith("2026-11-22T12:00:10.000Z  update chainsaw")
    end = event_line(replace(NEW, type="end", stop=280_000, end_reason="silence"), NOON, 16_000)
    assert end.startswith("2026-11-22T12:00:12.500Z  end    chainsaw")
    assert end.endswith("12.5 s, silence")

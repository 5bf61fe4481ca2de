from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.ring import AudioRing
from edge_sdk.contract.values import AudioBlock, End, Gap, SourceItem
from edge_sdk.errors import SourceError

RATE_HZ = 1_000


def block(length: int, first: int = 0) -> AudioBlock:
    return AudioBlock(np.arange(first, first + length, dtype=np.float32), RATE_HZ)


def timeline(items: list[SourceItem]) -> int:
    return sum(
        len(item.samples) if isinstance(item, AudioBlock) else item.samples
        for item in items
        if not isinstance(item, End)
    )


def test_what_fits_comes_out_as_it_went_in() -> None:
    ring = AudioRing(capacity_s=1.0)
    put: list[SourceItem] = [block(400), Gap(7, RATE_HZ, "not contiguous"), block(500), End()]
    for item in put:
        ring.put(item)
    assert list(ring.items()) == put
    assert ring.overruns == 0


def test_the_oldest_sound_is_skipped_as_a_gap_and_counted() -> None:
    ring = AudioRing(capacity_s=1.0)
    for first in range(0, 1_100, 100):
        ring.put(block(100, first))
    ring.put(End())
    items = list(ring.items())
    assert items[0] == Gap(600, RATE_HZ, "overrun")
    assert isinstance(items[1], AudioBlock)
    assert items[1].samples[0] == 600
    assert ring.overruns == 1
    assert ring.skipped_s == pytest.approx(0.6)


def test_half_the_capacity_stays_whole_so_that_windows_can_be_filled() -> None:
    ring = AudioRing(capacity_s=10.0)
    for _ in range(500):
        ring.put(block(100))
    ring.put(End())
    items = list(ring.items())
    assert sum(isinstance(item, Gap) for item in items) == 1
    assert timeline([item for item in items if isinstance(item, AudioBlock)]) >= 4_000


def test_a_skipped_gap_passes_on_when_sound_resumed() -> None:
    ring = AudioRing(capacity_s=1.0)
    resumed = datetime(2026, 5, 1, 12, 0, 0, tzinfo=timezone.utc)
    ring.put(block(300))
    ring.put(Gap(50, RATE_HZ, "not contiguous", resumed))
    for _ in range(8):
        ring.put(block(100))
    first = next(ring.items())
    assert isinstance(first, Gap)
    assert first.resumes_at == resumed + timedelta(seconds=(first.samples - 350) / RATE_HZ)


@given(
    st.lists(
        st.one_of(
            st.integers(1, 400).map(block),
            st.integers(0, 50).map(lambda n: Gap(n, RATE_HZ, "not contiguous")),
        ),
        max_size=60,
    )
)
def test_no_sample_vanishes_from_the_timeline(items: list[SourceItem]) -> None:
    ring = AudioRing(capacity_s=1.0)
    for item in items:
        ring.put(item)
    ring.put(End())
    assert timeline(list(ring.items())) == timeline(items)


def test_different_rates_are_counted_in_the_newest() -> None:
    ring = AudioRing(capacity_s=1.0)
    ring.put(AudioBlock(np.zeros(1_000, np.float32), 2_000))
    ring.put(block(1_000))
    ring.put(End())
    first = next(ring.items())
    assert first == Gap(500, RATE_HZ, "overrun") or first == Gap(1_000, 2_000, "overrun")


def test_an_error_of_the_capture_thread_follows_what_was_captured() -> None:
    ring = AudioRing(capacity_s=1.0)
    ring.put(block(10))
    ring.fail(SourceError("the microphone is gone"))
    items = ring.items()
    assert isinstance(next(items), AudioBlock)
    with pytest.raises(SourceError, match="microphone is gone"):
        next(items)


def test_the_reader_waits_for_the_writer() -> None:
    ring = AudioRing(capacity_s=1.0)
    heard: list[SourceItem] = []
    reader = threading.Thread(target=lambda: heard.extend(ring.items()))
    reader.start()
    for item in (block(5), block(6), End("stopped")):
        ring.put(item)
    reader.join(60)
    assert [type(item) for item in heard] == [AudioBlock, AudioBlock, End]


def test_closing_lets_a_waiting_reader_go_and_discards() -> None:
    ring = AudioRing(capacity_s=1.0)
    heard: list[SourceItem] = []
    reader = threading.Thread(target=lambda: heard.extend(ring.items()))
    reader.start()
    ring.close()
    ring.put(block(5))
    reader.join(60)
    assert not reader.is_alive()
    assert heard == []
    assert ring.closed

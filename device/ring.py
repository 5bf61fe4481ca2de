"""From the capture thread to the inference thread.

A microphone does not wait. When inference falls behind, the oldest sound is skipped and becomes a
:class:`~edge_sdk.contract.values.Gap`, which lowers coverage: it is never taken for silence.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from datetime import timedelta

from edge_sdk.contract.values import AudioBlock, End, Gap, SourceItem

__all__ = ["AudioRing"]

OVERRUN = "overrun"


class AudioRing:
    """A bounded queue with one thread at each end; ``put`` never waits.

    When it is full, the older half is skipped at once rather than block by block: a gap resets the
    model's window, so what stays must be long enough to fill some.

    Args:
        capacity_s: How much sound waits at most, in seconds. A few times the model's window.

    Attributes:
        overruns: How often sound was skipped.
        skipped_s: How much was, in seconds.
    """

    def __init__(self, capacity_s: float) -> None:
        self.overruns = 0
        self.skipped_s = 0.0
        self._capacity_s = capacity_s
        self._waiting: deque[SourceItem] = deque()
        self._waiting_s = 0.0
        self._error: BaseException | None = None
        self._closed = False
        self._changed = threading.Condition()

    @property
    def closed(self) -> bool:
        """Whether nobody listens any more; what is put then is discarded."""
        return self._closed

    def put(self, item: SourceItem) -> None:
        """Hand over what was captured. Returns at once."""
        with self._changed:
            if self._closed:
                return
            last = self._waiting[-1] if self._waiting else None
            if isinstance(item, Gap) and isinstance(last, Gap):
                self._waiting[-1] = _longer_gap(last, item)
            else:
                self._waiting.append(item)
                self._waiting_s += _sound_s(item)
            if self._waiting_s > self._capacity_s:
                self._skip_oldest()
            self._changed.notify()

    def fail(self, error: BaseException) -> None:
        """Tell the other side that capture is over; it hears what waits, and then the error."""
        with self._changed:
            self._error = error
            self._changed.notify()

    def close(self) -> None:
        """Discard what waits and let both sides go."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._waiting_s = 0.0
            self._changed.notify()

    def items(self) -> Iterator[SourceItem]:
        """What was put, in order, up to and including the ``End``; for one thread.

        Raises:
            BaseException: What :meth:`fail` was given.
        """
        while (item := self._take()) is not None:
            yield item
            if isinstance(item, End):
                return

    def _take(self) -> SourceItem | None:
        with self._changed:
            while not (self._waiting or self._closed or self._error):
                self._changed.wait()
            if self._closed:
                return None
            if self._waiting:
                item = self._waiting.popleft()
                self._waiting_s -= _sound_s(item)
                return item
            if self._error is None:
                return None
            raise self._error

    def _skip_oldest(self) -> None:
        gap: Gap | None = None
        while self._waiting_s > self._capacity_s / 2 and len(self._waiting) > 1:
            item = self._waiting[0]
            if isinstance(item, End):
                break
            self._waiting.popleft()
            self._waiting_s -= _sound_s(item)
            self.skipped_s += _sound_s(item)
            gap = _longer_gap(gap or Gap(0, item.sample_rate_hz, OVERRUN), item)
        if gap is None:
            return
        first = self._waiting[0]
        if isinstance(first, Gap):
            self._waiting[0] = _longer_gap(gap, first)
        else:
            self._waiting.appendleft(gap)
        self.overruns += 1


def _sound_s(item: SourceItem) -> float:
    return len(item.samples) / item.sample_rate_hz if isinstance(item, AudioBlock) else 0.0


def _longer_gap(gap: Gap, item: AudioBlock | Gap) -> Gap:
    """``gap`` and then ``item``, as one gap that keeps the first one's reason."""
    rate_hz = item.sample_rate_hz
    samples = len(item.samples) if isinstance(item, AudioBlock) else item.samples
    resumes_at = item.resumes_at if isinstance(item, Gap) else None
    if resumes_at is None and gap.resumes_at is not None:
        resumes_at = gap.resumes_at + timedelta(seconds=samples / rate_hz)
    before = round(gap.samples * rate_hz / gap.sample_rate_hz)
    return Gap(before + samples, rate_hz, gap.reason, resumes_at)

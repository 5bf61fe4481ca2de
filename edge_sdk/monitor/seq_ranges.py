"""A set of sequence numbers, kept as the few ranges it mostly consists of."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

__all__ = ["SeqRanges"]


class SeqRanges:
    """Whole numbers as disjoint, sorted, inclusive ranges that never touch.

    A device counts without gaps, so millions of numbers are usually one range.
    """

    __slots__ = ("_firsts", "_lasts")

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []

    def __contains__(self, number: object) -> bool:
        if not isinstance(number, int):
            return False
        place = bisect_right(self._firsts, number) - 1
        return place >= 0 and number <= self._lasts[place]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """The ranges ``(first, last)``, ascending."""
        return zip(self._firsts, self._lasts, strict=True)

    def __len__(self) -> int:
        """How many ranges, not how many numbers."""
        return len(self._firsts)

    @property
    def total(self) -> int:
        """How many numbers."""
        return sum(last - first + 1 for first, last in self)

    def add(self, first: int, last: int | None = None) -> None:
        """Add ``first`` to ``last``, both included, or ``first`` alone; what is there already stays."""
        last = first if last is None else last
        if last < first:
            return
        start = bisect_left(self._lasts, first - 1)  # the first range that touches or follows
        stop = bisect_right(self._firsts, last + 1)  # one past the last range that touches
        if start < stop:
            first = min(first, self._firsts[start])
            last = max(last, self._lasts[stop - 1])
        self._firsts[start:stop] = [first]
        self._lasts[start:stop] = [last]

    def missing(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """The ranges of ``first`` to ``last``, both included, that are not in the set, ascending."""
        place = bisect_left(self._lasts, first)
        while first <= last and place < len(self._firsts) and self._firsts[place] <= last:
            if first < self._firsts[place]:
                yield first, self._firsts[place] - 1
            first = self._lasts[place] + 1
            place += 1
        if first <= last:
            yield first, last

    def forget_lowest(self, keep: int) -> int | None:
        """Drop the lowest ranges until ``keep`` are left.

        Returns:
            The highest number forgotten, or ``None`` where nothing was.
        """
        excess = len(self._firsts) - keep
        if excess <= 0:
            return None
        highest = self._lasts[excess - 1]
        del self._firsts[:excess], self._lasts[:excess]
        return highest

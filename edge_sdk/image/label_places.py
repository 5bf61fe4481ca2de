"""Where the text of a drawn box goes, so that no text hides another one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["LabelPlaces", "Rectangle"]

_MOST_LINES_AWAY = 8


class Rectangle(NamedTuple):
    """Whole pixels; ``right`` and ``bottom`` are the first ones outside."""

    left: int
    top: int
    right: int
    bottom: int

    def overlaps(self, other: Rectangle) -> bool:
        """Whether the two share a pixel."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


class LabelPlaces:
    """Gives each text a place of its own at its box, as long as there is one.

    Args:
        width, height: Of the picture.
    """

    def __init__(self, width: int, height: int) -> None:
        self._width = width
        self._height = height
        self._taken: list[Rectangle] = []

    def take(self, box: Rectangle, length: int, line_height: int) -> Rectangle:
        """The best place that is free; where none is, the first choice.

        Args:
            box: What the text is of.
            length: Of the text.
            line_height: Of a line of text.

        Returns:
            Above the box where there is room, else at one of its other edges, else lines away from it. It
            begins in the picture, and ends there unless the text is longer than that.
        """
        first, *others = self._places(box, length, line_height)
        place = next((one for one in (first, *others) if not any(map(one.overlaps, self._taken))), first)
        self._taken.append(place)
        return place

    def _places(self, box: Rectangle, length: int, line_height: int) -> Iterator[Rectangle]:
        above, below = box.top - line_height, box.bottom
        tops = [box.top, below, box.bottom - line_height]
        for lines in range(1, _MOST_LINES_AWAY + 1):
            tops += [box.top + lines * line_height, above - lines * line_height]
        inside = (top for top in tops if 0 <= top <= self._height - line_height)
        for top in (box.top if above < 0 else above, *inside):
            for left in (box.left, box.right - length):
                start = max(0, min(left, self._width - length))
                yield Rectangle(start, top, start + length, top + line_height)

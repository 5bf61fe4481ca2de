"""Progress of long work: a bar on a terminal, plain lines in a log, nothing from the Python API.

Everything goes to stderr; stdout belongs to results.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Collection, Iterable, Iterator
from typing import Protocol, TypeVar

__all__ = ["LineProgress", "Progress", "SilentProgress", "TerminalProgress", "make_progress"]

_T = TypeVar("_T")
_LINES_A_TASK = 4


class Progress(Protocol):
    """Who is told how far the work is."""

    def step(self, what: str) -> None:
        """Say what begins now."""
        ...

    def track(self, items: Iterable[_T], what: str) -> Iterator[_T]:
        """Pass items on, and show how many have been dealt with."""
        ...


class SilentProgress:
    """Says nothing."""

    def step(self, what: str) -> None:
        """See :class:`Progress`."""

    def track(self, items: Iterable[_T], what: str) -> Iterator[_T]:  # noqa: ARG002  (the protocol's)
        """See :class:`Progress`."""
        yield from items


class LineProgress:
    """Plain lines, a few for each task: for logs and pipes."""

    def step(self, what: str) -> None:
        """See :class:`Progress`."""
        print(what, file=sys.stderr, flush=True)  # noqa: T201

    def track(self, items: Iterable[_T], what: str) -> Iterator[_T]:
        """See :class:`Progress`."""
        counted = items if isinstance(items, Collection) else list(items)
        total = len(counted)
        self.step(f"{what}: {total}")
        for done, item in enumerate(counted, start=1):
            yield item
            quarter = done * _LINES_A_TASK // total
            if quarter != (done - 1) * _LINES_A_TASK // total and done != total:
                self.step(f"{what}: {done} of {total}")


class TerminalProgress:
    """A bar that goes away when its task is done."""

    def step(self, what: str) -> None:
        """See :class:`Progress`."""
        print(what, file=sys.stderr, flush=True)  # noqa: T201

    def track(self, items: Iterable[_T], what: str) -> Iterator[_T]:
        """See :class:`Progress`."""
        from rich.console import Console
        from rich.progress import track

        counted = items if isinstance(items, Collection) else list(items)
        console = Console(stderr=True)
        yield from track(counted, description=what, total=len(counted), console=console, transient=True)


def make_progress() -> Progress:
    """A bar where a person is watching and ``rich`` is installed, lines elsewhere."""
    if sys.stderr.isatty() and importlib.util.find_spec("rich") is not None:
        return TerminalProgress()
    return LineProgress()

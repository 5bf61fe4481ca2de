"""Progress of long work: a bar on a terminal, plain lines in a log, nothing from the Python API.

Everything goes to stderr; stdout belongs to results.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Collection, Iterable, Iterator
from typing import Protocol, TypeVar

__all__ = ["LineProgress", "Progress", "SilentProgress", "TerminalProgress", "make_progress"]

_T = TypeVar("_T")
_SECONDS_A_LINE = 10.0


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
    """Plain lines, one for each task and one more every ten seconds: for logs and pipes."""

    def step(self, what: str) -> None:
        """See :class:`Progress`."""
        print(what, file=sys.stderr, flush=True)  # noqa: T201

    def track(self, items: Iterable[_T], what: str) -> Iterator[_T]:
        """See :class:`Progress`."""
        counted = items if isinstance(items, Collection) else list(items)
        self.step(f"{what}: {len(counted)}")
        told = time.monotonic()
        for done, item in enumerate(counted):
            if time.monotonic() - told >= _SECONDS_A_LINE:
                told = time.monotonic()
                self.step(f"{what}: {done} of {len(counted)}")
            yield item


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

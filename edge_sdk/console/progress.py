"""Progress of long work: a bar on a terminal, plain lines in a log, nothing from the Python API.

Everything goes to stderr; stdout belongs to results.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

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

    def within(self, share: float) -> None:
        """Say how much of the item that :meth:`track` gave last is done: one recording can be a night.

        Args:
            share: 0 to 1. May be told at every window.
        """
        ...


class SilentProgress:
    """Says nothing."""

    def step(self, what: str) -> None:
        """See :class:`Progress`."""

    def track(self, items: Iterable[_T], what: str) -> Iterator[_T]:  # noqa: ARG002  (the protocol's)
        """See :class:`Progress`."""
        yield from items

    def within(self, share: float) -> None:
        """See :class:`Progress`."""


class LineProgress:
    """Plain lines, one for each task and one more every ten seconds: for logs and pipes.

    Args:
        clock: Seconds, from any beginning.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told = clock()
        self._place = ""

    def step(self, what: str) -> None:
        """See :class:`Progress`."""
        print(what, file=sys.stderr, flush=True)  # noqa: T201

    def track(self, items: Iterable[_T], what: str) -> Iterator[_T]:
        """See :class:`Progress`."""
        counted = items if isinstance(items, Collection) else list(items)
        self.step(f"{what}: 0 of {len(counted)}")
        self._told = self._clock()
        for done, item in enumerate(counted):
            self._place = f"{what}: {done} of {len(counted)}"
            self._tell_again("")
            yield item

    def within(self, share: float) -> None:
        """See :class:`Progress`."""
        self._tell_again(f", {share:.0%} of the next")

    def _tell_again(self, more: str) -> None:
        if self._clock() - self._told >= _SECONDS_A_LINE:
            self._told = self._clock()
            self.step(self._place + more)


class TerminalProgress:
    """A bar that goes away when its task is done."""

    def __init__(self) -> None:
        self._current: tuple[Bar, TaskID, int] | None = None

    def step(self, what: str) -> None:
        """See :class:`Progress`."""
        print(what, file=sys.stderr, flush=True)  # noqa: T201

    def track(self, items: Iterable[_T], what: str) -> Iterator[_T]:
        """See :class:`Progress`."""
        from rich.console import Console
        from rich.progress import Progress as Bar

        counted = items if isinstance(items, Collection) else list(items)
        # Results that are printed meanwhile go above the bar, but into their file where they have one.
        on_terminal = sys.stdout.isatty()
        with Bar(console=Console(stderr=True), transient=True, redirect_stdout=on_terminal) as bar:
            task = bar.add_task(what, total=len(counted))
            for done, item in enumerate(counted):
                self._current = (bar, task, done)
                yield item
                bar.update(task, completed=done + 1)

    def within(self, share: float) -> None:
        """See :class:`Progress`."""
        if self._current is not None:
            bar, task, done = self._current
            bar.update(task, completed=done + share)


def make_progress() -> Progress:
    """A bar where a person is watching and ``rich`` is installed, lines elsewhere."""
    if sys.stderr.isatty() and importlib.util.find_spec("rich") is not None:
        return TerminalProgress()
    return LineProgress()

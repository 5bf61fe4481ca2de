"""The same thing said of several: once, with all their names."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TypeVar

__all__ = ["told_once"]

_SaidT = TypeVar("_SaidT", bound=Hashable)


def told_once(said: Iterable[tuple[str, _SaidT]]) -> list[tuple[str, _SaidT]]:
    """Names of which the same is said, joined by commas, each with that.

    Args:
        said: A name, and what is said of it.

    Returns:
        In the order in which each thing was first said.
    """
    names: dict[_SaidT, list[str]] = {}
    for name, what in said:
        names.setdefault(what, []).append(name)
    return [(", ".join(several), what) for what, several in names.items()]

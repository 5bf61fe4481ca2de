"""What somebody probably meant: the one place for "did you mean ...?"."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["nearest_hint", "nearest_name"]

_ALIKE = 0.5
_MOST_SHOWN = 20


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most alike; None where none is."""
    import difflib  # where something is misspelt, and nowhere else

    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=_ALIKE)
    return near[0] if near else None


def nearest_hint(name: str, known: Iterable[str], *, otherwise: str | None = None) -> str:
    """A hint that offers the nearest known name.

    Args:
        name: What was given.
        known: What could have been.
        otherwise: The hint where none is alike; by default some of the known ones.
    """
    names = sorted(known)
    near = nearest_name(name, names)
    if near is not None:
        return f"did you mean '{near}'?"
    shown = ", ".join(names[:_MOST_SHOWN])
    return otherwise or f"known: {shown}{', ...' if len(names) > _MOST_SHOWN else ''}"

"""What somebody probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["nearest_hint"]


def nearest_hint(name: str, known: Iterable[str]) -> str:
    """A hint that offers the nearest known name, or some of the known ones."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if near:
        return f"did you mean '{near[0]}'?"
    shown = ", ".join(names[:20])
    return f"known: {shown}{', ...' if len(names) > 20 else ''}"

"""Whether what was measured is of the code as it is now."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

__all__ = ["code_digest"]

_ROOT = Path(__file__).parents[2]
_FOLDERS = ("converters", "edge_sdk", "examples")
_MEASURING = ("cases", "gate", "labelled", "measure", "one_case", "samples")
"""Modules here that have a say in the figures; how the page looks has none."""
_SUFFIXES = (".py", ".toml", ".csv", ".keras")


def code_digest() -> str:
    """Of all sources that have a say in the matrix's figures."""
    digest = hashlib.sha256()
    for path in sorted(_sources()):
        digest.update(path.relative_to(_ROOT).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    for folder in _FOLDERS:
        yield from (path for path in (_ROOT / folder).rglob("*") if path.suffix in _SUFFIXES)
    here = Path(__file__).parent
    yield from (here / f"{name}.py" for name in _MEASURING)
    yield from here.glob("*.toml")

"""What a bundle was made of and what it holds, by content."""

from __future__ import annotations

from msgspec import Struct

from .identifiers import Count, PositiveInt, Sha256

__all__ = ["FileDigest", "Provenance", "SourceFile"]


class SourceFile(Struct, frozen=True, kw_only=True):
    """A model or data set that went in, by content."""

    name: str
    sha256: Sha256
    n: PositiveInt = 1


class Provenance(Struct, frozen=True, kw_only=True):
    """Where the bundle comes from. No dates: same inputs, same bytes."""

    source_models: list[SourceFile]
    calibration: SourceFile | None = None
    evaluation: SourceFile
    libraries: dict[str, str]


class FileDigest(Struct, frozen=True, kw_only=True):
    """What a member of the bundle must be, to the byte."""

    sha256: Sha256
    bytes: Count

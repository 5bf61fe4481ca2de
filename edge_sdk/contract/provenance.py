"""What a bundle was made of and what it holds, by content."""

from __future__ import annotations

from msgspec import Struct

from .identifiers import Count, PositiveInt, Sha256

__all__ = ["Accepted", "FileDigest", "Provenance", "SourceFile"]


class SourceFile(Struct, frozen=True, kw_only=True):
    """A model or data set that went in, by content."""

    name: str
    sha256: Sha256
    n: PositiveInt = 1


class Accepted(Struct, frozen=True, kw_only=True):
    """Something in the spec that the model contradicts and that a person kept.

    Attributes:
        key: What it is about: under ``[image]`` ``preprocessing``, ``color`` or ``resize``; under
            ``[detector]`` ``class_activation``, ``objectness_activation``, ``quality_activation``,
            ``decoding`` or ``labels``.
        finding: What was found.
        reason: Why it was kept, in that person's words.
    """

    key: str
    finding: str
    reason: str


class Provenance(Struct, frozen=True, kw_only=True):
    """Where the bundle comes from. No dates: same inputs, same bytes.

    Attributes:
        accepted: Where the converter would have refused, and was told to go on.
    """

    source_models: list[SourceFile]
    calibration: SourceFile | None = None
    evaluation: SourceFile
    libraries: dict[str, str]
    accepted: list[Accepted] = []


class FileDigest(Struct, frozen=True, kw_only=True):
    """What a member of the bundle must be, to the byte."""

    sha256: Sha256
    bytes: Count

"""What labelled samples are called in messages and reports."""

from __future__ import annotations

from dataclasses import dataclass

from edge_sdk.console.counted import counted

__all__ = ["PICTURES", "RECORDINGS", "Nouns"]


@dataclass(frozen=True, slots=True)
class Nouns:
    """One kind of sample.

    Attributes:
        one, many: The word for it.
        files: File formats, for hints.
    """

    one: str
    many: str
    files: str

    def counted(self, n: int) -> str:
        """How many, with the word for it."""
        return counted(n, self.one, self.many)


RECORDINGS = Nouns("recording", "recordings", "WAV, FLAC or OGG")
PICTURES = Nouns("picture", "pictures", "JPEG, PNG, WebP, BMP or TIFF")

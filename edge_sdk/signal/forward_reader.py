"""libsndfile, read from front to back. The one module that imports soundfile; import it late."""

from __future__ import annotations

from ..errors import MissingExtraError

try:
    import soundfile
except ImportError as error:
    raise MissingExtraError("soundfile", "audio") from error

__all__ = ["ForwardReader", "LibsndfileError"]

LibsndfileError = soundfile.LibsndfileError


class ForwardReader(soundfile.SoundFile):  # type: ignore[misc]  # soundfile ships no types
    """A sound file that is never asked where it is.

    soundfile seeks to where it already stands after each read of a seekable file. That
    costs time in FLAC, and fails where a FLAC stream does not state its length.
    """

    def seekable(self) -> bool:
        """Say no, whatever libsndfile can do; ``seek(0)`` still works."""
        return False

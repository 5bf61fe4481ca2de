"""A file that is needed again later, and must not fill memory until then."""

from __future__ import annotations

import tempfile
import weakref

__all__ = ["StoredContent"]


class StoredContent:
    """Bytes in a temporary file, which goes when this goes.

    Args:
        content: What to store.
    """

    def __init__(self, content: bytes) -> None:
        self._file = tempfile.TemporaryFile(prefix="edge-sdk-")  # noqa: SIM115  (closed below)
        weakref.finalize(self, self._file.close)
        self._file.write(content)

    def read(self) -> bytes:
        """The bytes, in memory anew."""
        self._file.seek(0)
        return self._file.read()

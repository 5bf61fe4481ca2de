"""Recordings of a whole night that take no room on the disk."""

from __future__ import annotations

import os
import struct
from pathlib import Path

__all__ = ["write_sparse_wav"]


def write_sparse_wav(path: Path, seconds: int, rate_hz: int) -> Path:
    """An 8-bit mono WAV of constant sound, all of it a hole in the file (44 bytes are written)."""
    samples = seconds * rate_hz
    riff = struct.pack("<4sI4s", b"RIFF", 36 + samples, b"WAVE")
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate_hz, rate_hz, 1, 8)
    path.write_bytes(riff + form + struct.pack("<4sI", b"data", samples))
    os.truncate(path, 44 + samples)
    return path

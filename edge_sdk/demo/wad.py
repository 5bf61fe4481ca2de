"""Sounds out of a Doom WAD file.

The format is described in Matt Fell, "The Unofficial Doom Specs" v1.666, 1994, chapters 2 and 6: a
directory of lumps (offset, size, name of eight bytes), and for a sound lump the format number 3, the
rate, the number of bytes, and unsigned 8-bit samples with 16 bytes of padding at either end.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..contract.values import Float32Array
from ..errors import AudioError

__all__ = ["WadSound", "lump_directory", "read_sound"]

_HEADER = struct.Struct("<4sII")
_ENTRY = struct.Struct("<II8s")
_SOUND = struct.Struct("<HHI")
_DIGITAL_SOUND = 3
_PADDING = 16


@dataclass(frozen=True, slots=True)
class WadSound:
    """A sound effect.

    Attributes:
        samples: Mono, float32, full scale 1.0, shape ``[n]``.
        sample_rate_hz: Samples per second.
    """

    samples: Float32Array
    sample_rate_hz: int


def lump_directory(wad: bytes) -> dict[str, tuple[int, int]]:
    """Offset and size of each lump, by name; the last of a name counts, as in the game.

    Raises:
        AudioError: The bytes are no WAD file, or its directory points outside it.
    """
    if len(wad) < _HEADER.size or wad[:4] not in (b"IWAD", b"PWAD"):
        raise AudioError("the file is no WAD: it does not begin with IWAD or PWAD")
    _, count, start = _HEADER.unpack_from(wad)
    if start + count * _ENTRY.size > len(wad):
        raise AudioError(f"the WAD is truncated: its directory of {count} lumps lies past its end")
    lumps: dict[str, tuple[int, int]] = {}
    for offset, size, raw_name in _ENTRY.iter_unpack(wad[start : start + count * _ENTRY.size]):
        if offset + size > len(wad):
            raise AudioError(f"the WAD is damaged: lump {raw_name!r} lies past its end")
        lumps[raw_name.split(b"\0")[0].decode("latin-1")] = (offset, size)
    return lumps


def read_sound(wad: bytes, lumps: Mapping[str, tuple[int, int]], name: str) -> WadSound:
    """Decode one sound lump, without its padding.

    Raises:
        AudioError: There is no such lump, or it is no sound.
    """
    if name not in lumps:
        raise AudioError(f"the WAD has no lump '{name}'")
    offset, size = lumps[name]
    lump = wad[offset : offset + size]
    if len(lump) < _SOUND.size:
        raise AudioError(f"lump '{name}' is too short for a sound")
    kind, rate_hz, length = _SOUND.unpack_from(lump)
    if kind != _DIGITAL_SOUND or rate_hz == 0 or _SOUND.size + length > size or length <= 2 * _PADDING:
        raise AudioError(f"lump '{name}' is no digital sound")
    body = np.frombuffer(lump, np.uint8, length, _SOUND.size)[_PADDING:-_PADDING]
    return WadSound((body.astype(np.float32) - 128.0) / 128.0, rate_hz)

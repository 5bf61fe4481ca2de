"""From a source URI to a source."""

from __future__ import annotations

from .audio_directory import AudioDirectorySource
from .audio_file import AudioFileSource
from .named_files import is_folder
from .source import Source
from .uri import parse_source

__all__ = ["open_source"]


def open_source(uri: str) -> Source:
    """Open what a URI or a path names.

    Args:
        uri: For example ``dawn.wav``, ``file:///var/recordings?pace=realtime``: see :mod:`.uri`.

    Raises:
        UsageError: The URI does not hold, or there is no such file or directory.
        AudioError: The file cannot be used as sound.
    """
    address = parse_source(uri)
    if is_folder(address.path):
        return AudioDirectorySource(
            address.path,
            channel=address.channel,
            contiguous=address.contiguous,
            realtime=address.realtime,
        )
    return AudioFileSource(address.path, channel=address.channel, realtime=address.realtime)

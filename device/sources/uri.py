"""Source URIs, as people write them in a configuration or on the command line.

A path, or ``file://`` and a path, with parameters behind a question mark:

``channel=N``      take channel N, counted from 1, instead of the mean of all
``pace=realtime``  deliver by the clock, as a microphone would, instead of as fast as it is read
``contiguous=true``  the files of this directory follow each other without a break, whatever they are named
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote

from edge_sdk.contract.nearest_name import nearest_hint, nearest_name
from edge_sdk.errors import UsageError

from .named_files import expand_home

__all__ = ["SourceAddress", "absolute_source", "parse_source"]

_PARAMETERS = ("channel", "pace", "contiguous")
_PACES = {"realtime": True, "none": False}
_SWITCH = {"true": True, "false": False}
_LATER_SCHEMES = ("mic", "alsa", "v4l2", "csi", "rtsp", "csv")
_SCHEMES = ("file", *_LATER_SCHEMES)


@dataclass(frozen=True, slots=True)
class SourceAddress:
    """What a source URI says.

    Attributes:
        path: The file or directory.
        channel: Which channel to take, counted from 1; ``None`` for the mean of all.
        realtime: Deliver by the clock.
        contiguous: Whether a directory's files follow each other without a break whatever their times.
    """

    path: Path
    channel: int | None = None
    realtime: bool = False
    contiguous: bool = False


def parse_source(uri: str) -> SourceAddress:
    """Read a source URI or a plain path.

    Raises:
        UsageError: An unknown scheme, parameter or value; the hint has the nearest that is known.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator:
        # A file may have a question mark in its name; then it is not taken as parameters.
        if "?" not in uri or _exists(uri):
            return SourceAddress(expand_home(uri))
        path, _, query = uri.rpartition("?")
        return _address(expand_home(path), query, uri)
    _require_scheme(scheme.lower(), uri)
    path, _, query = rest.partition("?")
    if path.startswith("localhost/"):
        path = path.removeprefix("localhost")
    return _address(expand_home(unquote(path)), query, uri)


def absolute_source(uri: str, folder: Path) -> str:
    """The same source, where a relative path is taken from ``folder``.

    Args:
        uri: As :func:`parse_source` takes it.
        folder: Absolute.

    Raises:
        UsageError: It begins with the home folder of a user who has none.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator:
        return str(folder / expand_home(uri))
    if scheme.lower() != "file" or rest.startswith(("/", "~", "localhost/")):
        return uri
    return f"{scheme}://{quote(str(folder))}/{rest}"


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except OSError:  # longer than a name can be
        return False


def _require_scheme(scheme: str, uri: str) -> None:
    if scheme == "file":
        return
    if scheme in _LATER_SCHEMES:
        raise UsageError(
            f"cannot listen to {uri}: sources of the kind '{scheme}://' are not in this release",
            hint="record to files and use file://PATH, with ?pace=realtime to play them by the clock",
        )
    near = nearest_name(scheme, _SCHEMES)
    hint = "use a path, or file://PATH" if near is None else f"did you mean '{near}://'?"
    raise UsageError(f"unknown kind of source '{scheme}://' in {uri}", hint=hint)


def _address(path: Path, query: str, uri: str) -> SourceAddress:
    values: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in _PARAMETERS:
            known = f"known parameters: {', '.join(_PARAMETERS)}"
            raise UsageError(
                f"unknown parameter '{name}' in {uri}", hint=nearest_hint(name, _PARAMETERS, otherwise=known)
            )
        if name in values:
            raise UsageError(f"parameter '{name}' is given twice in {uri}")
        values[name] = value
    return SourceAddress(
        path,
        channel=_channel(values.get("channel"), uri),
        realtime=_one_of("pace", values.get("pace", "none"), _PACES, uri),
        contiguous=_one_of("contiguous", values.get("contiguous", "false"), _SWITCH, uri),
    )


def _channel(text: str | None, uri: str) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise UsageError(f"channel '{text}' in {uri} is no channel", hint="channels count from 1: channel=1")
    return int(text)


def _one_of(name: str, text: str, meanings: dict[str, bool], uri: str) -> bool:
    if text not in meanings:
        raise UsageError(f"{name}={text} in {uri} is not known", hint=f"use {name}={' or '.join(meanings)}")
    return meanings[text]

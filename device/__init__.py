"""The field: listen, infer, decide, keep and publish."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .assembly import run_device
    from .config import RunConfig, load_config
    from .outbox import Outbox
    from .pipeline import Pipeline
    from .publisher import Publisher
    from .runtime import Runtime
    from .sources import Source, open_source
    from .sources.audio_directory import AudioDirectorySource
    from .sources.audio_file import AudioFileSource
    from .stamper import Stamper

# Public name -> the module that defines it, loaded when the name is first asked for.
_HOMES: dict[str, str] = {
    "AudioDirectorySource": ".sources.audio_directory",
    "AudioFileSource": ".sources.audio_file",
    "Outbox": ".outbox",
    "Pipeline": ".pipeline",
    "Publisher": ".publisher",
    "RunConfig": ".config",
    "Runtime": ".runtime",
    "Source": ".sources",
    "Stamper": ".stamper",
    "load_config": ".config",
    "open_source": ".sources",
    "run_device": ".assembly",
}

__all__ = [
    "AudioDirectorySource",
    "AudioFileSource",
    "Outbox",
    "Pipeline",
    "Publisher",
    "RunConfig",
    "Runtime",
    "Source",
    "Stamper",
    "load_config",
    "open_source",
    "run_device",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value: object = getattr(import_module(_HOMES[name], __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

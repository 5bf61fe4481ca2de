"""Where sound comes from."""

from __future__ import annotations

from .opening import open_source
from .source import Source

__all__ = ["Source", "open_source"]

"""Put the demo's example model into wheels; an editable installation finds it in the checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = "examples/forest_sounds"
TARGET = "edge_sdk/demo/forest_sounds"
# What the demo runs, not what trained it.
FILES = ("base.py", "forest_sounds.toml", "head.keras", "lite0.py", "weights.py")


class ExampleHook(BuildHookInterface[Any]):
    """Adds files of the example to a wheel that will leave this checkout."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it collects files; ``version`` is ``standard`` or ``editable``."""
        if version == "standard":
            for name in FILES:
                build_data["force_include"][str(Path(self.root, SOURCE, name))] = f"{TARGET}/{name}"

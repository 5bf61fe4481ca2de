"""Put the demo's example models into wheels; an editable installation finds them in the checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = "examples"
TARGET = "edge_sdk/demo"
# What the demo runs, not what trained it.
FILES = {
    "forest_sounds": ("base.py", "forest_sounds.toml", "head.keras", "lite0.py", "weights.py"),
    "imagenet": ("build.py", "efficientnet_lite0.toml", "networks.py", "stand_in.py"),
    "faces": ("models.py",),
}


class ExampleHook(BuildHookInterface[Any]):
    """Adds files of the examples to a wheel that will leave this checkout."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it collects files; ``version`` is ``standard`` or ``editable``."""
        if version == "standard":
            for folder, names in FILES.items():
                for name in names:
                    path = Path(self.root, SOURCE, folder, name)
                    build_data["force_include"][str(path)] = f"{TARGET}/{folder}/{name}"

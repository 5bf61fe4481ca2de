"""What a run on a GPU found, as JSON that says on what it ran."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import importlib.util
import json
import platform
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edge_sdk.inference.tensorrt.cuda import Gpu

__all__ = ["GpuResults"]

_LIBRARIES = ("cuda-bindings", "pycuda", "numpy")
_MODULES = {
    "tensorrt": "tensorrt",
    "tensorrt_rtx_bindings": "tensorrt-rtx",
    "onnxruntime": "onnxruntime",
}
_JETSON_RELEASE = Path("/etc/nv_tegra_release")


class GpuResults:
    """Numbers by library, model and precision.

    Args:
        gpu: Where they were found.
    """

    def __init__(self, gpu: Gpu) -> None:
        self._gpu = gpu
        self._refused: dict[str, str] = {}
        self._numbers: dict[str, dict[str, dict[str, dict[str, Any]]]] = {}

    def note(self, runner: str, model: str, precision: str, **numbers: Any) -> None:
        """Add what one test found."""
        models = self._numbers.setdefault(runner, {})
        models.setdefault(model, {}).setdefault(precision, {}).update(numbers)

    def refuse(self, runner: str, reason: str) -> None:
        """Note that a library does not run on this GPU at all."""
        self._refused[runner] = reason

    def write(self, path: Path) -> None:
        """Write all of it."""
        content = {
            "device": {**asdict(self._gpu), "driver": _driver()},
            "versions": {"python": platform.python_version(), **_versions()},
            "system": f"{platform.system()} {platform.machine()}",
            "refused": self._refused,
            "numbers": self._numbers,
        }
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _driver() -> str:
    """The driver's version; on a Jetson, the release of Jetson Linux that it is part of."""
    if _JETSON_RELEASE.exists():
        return _JETSON_RELEASE.read_text("utf-8", "replace").strip()
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[0]
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _versions() -> dict[str, str]:
    """Of what is installed; a library that is only on the path tells its version itself."""
    found = {}
    for module, name in _MODULES.items():
        if importlib.util.find_spec(module) is not None:
            found[name] = str(importlib.import_module(module).__version__)
    for name in _LIBRARIES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found

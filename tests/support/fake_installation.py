"""A fake TensorRT and CUDA for processes that a test starts: a folder to find them in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

__all__ = ["FakeInstallation"]

_LIBRARIES = ("tensorrt", "tensorrt_rtx", "tensorrt_rtx_bindings")
_SUPPORT = Path(__file__).parent
_INSTALLED = """
import json
from pathlib import Path
from fake_gpu import FakeGpu

WRITTEN = json.loads(Path(__file__).with_name("installed.json").read_text())
GPU = FakeGpu(**WRITTEN["gpu"])
"""
_TENSORRT = """
import sys
from fake_installed import GPU, WRITTEN
from fake_tensorrt import fake_tensorrt

sys.modules[__name__] = fake_tensorrt(WRITTEN["release"], GPU, WRITTEN["behaviour"])
"""
_RUNTIME = """
import sys
from fake_cuda_bindings import fake_cuda_bindings
from fake_installed import GPU

sys.modules[__name__] = fake_cuda_bindings(GPU)
"""


class FakeInstallation:
    """What :meth:`search_path` leads to; :meth:`install` again changes it for processes that start later.

    Args:
        folder: To write it into; must exist.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        package = folder / "cuda" / "bindings"
        package.mkdir(parents=True)
        for inner in (package.parent, package):
            (inner / "__init__.py").write_text("")
        (package / "runtime.py").write_text(_RUNTIME)
        (folder / "fake_installed.py").write_text(_INSTALLED)

    def install(self, release: str, *, behaviour: str = "", **gpu: Any) -> None:
        """Write it.

        Args:
            release, behaviour: See :class:`fake_trt_release.Release`.
            gpu: See :class:`fake_gpu.FakeGpu`.
        """
        import json

        for name in _LIBRARIES:
            (self._folder / f"{name}.py").unlink(missing_ok=True)
        module = "tensorrt_rtx" if release == "rtx" else "tensorrt"
        (self._folder / f"{module}.py").write_text(_TENSORRT)
        written = {"release": release, "behaviour": behaviour, "gpu": gpu}
        (self._folder / "installed.json").write_text(json.dumps(written))

    def hide(self, error: str | None = None) -> None:
        """Have no TensorRT, not even one that is really installed.

        Args:
            error: What loading it says, where its module is there and what it stands on is not.
        """
        for name in _LIBRARIES:
            missing = f"ModuleNotFoundError({name!r}, name={name!r})"
            raised = missing if error is None or name != "tensorrt" else f"ImportError({error!r})"
            (self._folder / f"{name}.py").write_text(f"raise {raised}\n")

    @property
    def search_path(self) -> str:
        """For ``PYTHONPATH``."""
        paths = [str(self._folder), str(_SUPPORT), os.environ.get("PYTHONPATH", "")]
        return os.pathsep.join(path for path in paths if path)

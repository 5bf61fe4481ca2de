"""A GPU that is not there, with releases of TensorRT on it; and TensorRT-RTX itself where it is installed."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_cuda_bindings import fake_cuda_bindings
from fake_gpu import FakeGpu
from fake_installation import FakeInstallation
from fake_pycuda import fake_pycuda
from fake_tensorrt import fake_tensorrt

from edge_sdk.inference.tensorrt.library import Library, find_library
from edge_sdk.inference.tensorrt.products import TENSORRT_RTX

_LIBRARIES = ("tensorrt", "tensorrt_rtx", "tensorrt_rtx_bindings")
_CUDA = ("cuda.bindings.runtime", "cuda.cudart", "pycuda.driver")


@pytest.fixture
def gpu() -> FakeGpu:
    """A Jetson's."""
    return FakeGpu()


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch, gpu: FakeGpu) -> Callable[..., None]:
    """Installs a release of TensorRT and something to call CUDA with, and hides all others."""

    def installed(release: str | None, *, behaviour: str = "", cuda: str | None = "bindings") -> None:
        for name in (*_LIBRARIES, *_CUDA):
            monkeypatch.setitem(sys.modules, name, None)
        if release is not None:
            module = "tensorrt_rtx" if release == "rtx" else "tensorrt"
            monkeypatch.setitem(sys.modules, module, fake_tensorrt(release, gpu, behaviour))
        if cuda == "bindings":
            monkeypatch.setitem(sys.modules, "cuda.bindings.runtime", fake_cuda_bindings(gpu))
        elif cuda == "pycuda":
            monkeypatch.setitem(sys.modules, "pycuda.driver", fake_pycuda(gpu))

    return installed


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A folder for engines, not made yet."""
    return tmp_path / "engines"


@pytest.fixture
def rtx() -> Library:
    """TensorRT-RTX itself; skips where it is not installed."""
    if importlib.util.find_spec("tensorrt_rtx_bindings") is None:
        pytest.skip("TensorRT-RTX is not installed: pip install 'edge-sdk[tensorrt-rtx]'")
    return find_library(TENSORRT_RTX)


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeInstallation:
    """A fake TensorRT for processes that are started, 10.3 on an Orin at first."""
    folder = tmp_path / "installed"
    folder.mkdir()
    made = FakeInstallation(folder)
    made.install("10.3")
    monkeypatch.setenv("PYTHONPATH", made.search_path)
    return made

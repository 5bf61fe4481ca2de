"""``edge-sdk`` on a device whose TensorRT is in some way not as it should be.

    python device_without_engine.py FAULT run BUNDLE ...

``library``: TensorRT is not installed. ``driver``: there is no NVIDIA driver. Where that is there, too:
``unbuilt``: no engine was built. ``damaged``: the engine has lost its end. ``updated``: it was built by
another TensorRT than the one that is installed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

from edge_sdk.cli.main import main
from edge_sdk.contract.bundle import Bundle
from edge_sdk.errors import MissingExtraError
from edge_sdk.inference.tensorrt import open as tensorrt
from edge_sdk.inference.tensorrt.cuda import NO_DRIVER, Gpu, cuda_error
from edge_sdk.inference.tensorrt.engine_cache import EngineCache, EngineRecord, default_folder
from edge_sdk.inference.tensorrt.fingerprint import fingerprint
from edge_sdk.inference.tensorrt.library import TENSORRT, Library

GPU = Gpu("Orin", "8.7", integrated=True, memory_bytes=8_000_000_000, cuda="12.6")
LIBRARY = Library(SimpleNamespace(), TENSORRT, "10.3.0.30")
OLDER = Library(SimpleNamespace(), TENSORRT, "8.6.2.3")


def _keep_engine(bundle: Path, library: Library) -> Path:
    opened = Bundle.open(bundle)
    (variant,) = [variant for variant in opened.manifest.variants if variant.format == "onnx"]
    built_for = fingerprint(opened.read(variant.file), library, GPU)
    record = EngineRecord(name=variant.name, fingerprint=built_for, workspace_mb=64)
    default_folder().mkdir(parents=True)
    return EngineCache(default_folder()).write(record, b"a plan" * 100)


def _find_no_library() -> Library:
    raise MissingExtraError("tensorrt", "tensorrt-rtx")


def _find_no_driver() -> None:
    raise cuda_error("cudaGetDeviceCount", "there is no NVIDIA driver", NO_DRIVER)


def break_tensorrt(fault: str, bundle: Path) -> None:
    """Put the fault in place."""
    vars(tensorrt).update(
        find_library=_find_no_library if fault == "library" else lambda: LIBRARY,
        open_cuda=_find_no_driver if fault == "driver" else lambda: SimpleNamespace(gpu=GPU),
    )
    if fault == "damaged":
        kept = _keep_engine(bundle, LIBRARY)
        kept.write_bytes(kept.read_bytes()[:-10])
    elif fault == "updated":
        _keep_engine(bundle, OLDER)


if __name__ == "__main__":
    break_tensorrt(sys.argv[1], Path(sys.argv[3]))
    sys.exit(main(sys.argv[2:]))

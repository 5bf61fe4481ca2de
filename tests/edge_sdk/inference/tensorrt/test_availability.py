"""What is missing for TensorRT is another error than what breaks down: nothing was run."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_sdk.errors import BackendUnavailableError
from edge_sdk.inference.tensorrt.cuda import (
    LOST,
    NO_DEVICE,
    NO_DRIVER,
    OLD_DRIVER,
    OUT_OF_MEMORY,
    cuda_error,
)
from edge_sdk.inference.tensorrt.engine_cache import EngineCache
from edge_sdk.inference.tensorrt.fingerprint import Fingerprint


@pytest.mark.parametrize("kind", [NO_DRIVER, OLD_DRIVER, NO_DEVICE])
def test_without_a_driver_or_a_gpu_nothing_can_run(kind: str) -> None:
    assert isinstance(cuda_error("cudaGetDeviceCount", "none", kind), BackendUnavailableError)


@pytest.mark.parametrize("kind", [OUT_OF_MEMORY, LOST, None])
def test_a_gpu_that_breaks_down_is_there(kind: str | None) -> None:
    assert not isinstance(cuda_error("cudaMalloc", "no", kind), BackendUnavailableError)


def test_an_engine_that_was_not_built_is_missing(tmp_path: Path) -> None:
    wanted = Fingerprint(
        onnx_sha256="0" * 64, product="TensorRT", version="10.3.0.30", compute_capability="8.7"
    )
    with pytest.raises(BackendUnavailableError, match="no engine"):
        EngineCache(tmp_path).read(wanted, "tones.edge/onnx-float32")

"""Nothing grows: not over many inferences, not over many engines."""

from __future__ import annotations

from collections.abc import Callable

import psutil
import pytest
from gpu_case import GpuCase
from gpu_engine import GpuEngine
from gpu_models import MODELS, PRECISIONS

from edge_sdk.inference.tensorrt.cuda import Cuda

pytestmark = pytest.mark.usefixtures("cuda")  # first: no model is made in vain

INFERENCES = 10_000
ENGINES = 5
MIB = 1 << 20


every_size = pytest.mark.parametrize(
    "case", [(model, "float32") for model in MODELS], ids="-".join, indirect=True
)
every_precision = pytest.mark.parametrize(
    "case", [("forest-sounds", precision) for precision in PRECISIONS], ids="-".join, indirect=True
)


def held(cuda: Cuda) -> tuple[int, int]:
    """Bytes in use on the GPU, by whomever, and in this process."""
    return cuda.gpu.memory_bytes - cuda.free_memory(), psutil.Process().memory_info().rss


@every_precision
@pytest.mark.parametrize("way", ["enqueued", "replayed"])
def test_nothing_grows_over_10000_inferences(
    case: GpuCase,
    cuda: Cuda,
    open_engine: Callable[..., GpuEngine],
    note: Callable[..., None],
    way: str,
) -> None:
    engine = open_engine(case.onnx, graph=way == "replayed")
    tensors = case.tensors
    for _ in range(500):
        engine.run(tensors)
    gpu_before, host_before = held(cuda)
    for _ in range(INFERENCES):
        engine.run(tensors)
    gpu_after, host_after = held(cuda)
    grown = {"gpu_bytes": gpu_after - gpu_before, "host_bytes": host_after - host_before}
    note(**{f"{way}_growth": {"inferences": INFERENCES, **grown}})
    assert gpu_after <= gpu_before
    assert host_after - host_before < MIB  # a leak of 105 bytes an inference would show


@every_size
def test_a_closed_engine_leaves_nothing_on_the_gpu(
    case: GpuCase,
    cuda: Cuda,
    open_engine: Callable[..., GpuEngine],
    note: Callable[..., None],
) -> None:
    def open_run_close() -> None:
        engine = open_engine(case.onnx, graph=True)
        case.on_gpu(engine)
        engine.close()

    for _ in range(2):
        open_run_close()
    gpu_before, host_before = held(cuda)
    for _ in range(ENGINES):
        open_run_close()
    gpu_after, host_after = held(cuda)
    grown = {"gpu_bytes": gpu_after - gpu_before, "host_bytes": host_after - host_before}
    note(reopened_growth={"engines": ENGINES, **grown})
    assert gpu_after <= gpu_before

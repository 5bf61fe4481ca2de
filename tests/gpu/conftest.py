"""What every test on a GPU shares: the GPU, the models, what runs them, and where results are noted."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from cuda_runtime import Cuda, CudaError
from gpu_case import GpuCase
from gpu_engine import GpuEngine
from gpu_models import MODELS, PRECISIONS, inputs_path, onnx_path, write_models
from gpu_results import GpuResults
from ort_cuda_engine import OrtCudaEngine, require_cuda_provider
from rtx_build import build_plan
from rtx_engine import RefusedPlanError, RtxEngine

CASES = [(model, precision) for model in MODELS for precision in PRECISIONS]


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """The models: of ``EDGE_SDK_GPU_MODELS``, or made now."""
    if importlib.util.find_spec("tensorrt_rtx_bindings") is None:
        request.getfixturevalue("cuda")  # without a GPU there is nothing to make them for
    made = os.environ.get("EDGE_SDK_GPU_MODELS")
    if made:
        return Path(made).resolve()
    for library in ("tensorflow", "tf2onnx", "PIL"):
        pytest.importorskip(library, reason=f"no {library} to make models with, and no EDGE_SDK_GPU_MODELS")
    folder = tmp_path_factory.mktemp("gpu_models")
    write_models(folder, request.getfixturevalue("shared_data"))
    return folder


@pytest.fixture(params=CASES, ids="-".join)
def case(request: pytest.FixtureRequest, model_folder: Path) -> GpuCase:
    """Each model in each precision."""
    model, precision = request.param
    return read_case(model_folder, model, precision)


@pytest.fixture
def pair(model_folder: Path) -> list[GpuCase]:
    """Two models in float32."""
    return [read_case(model_folder, model, "float32") for model in ("forest-sounds", "fastestdet")]


def read_case(folder: Path, model: str, precision: str) -> GpuCase:
    """A model and its inputs from their files."""
    content = onnx_path(folder, model, precision).read_bytes()
    return GpuCase(
        model,
        precision,
        content,
        onnx_path(folder, model, "float32").read_bytes(),
        onnx.load_from_string(content).graph.input[0].name,
        tuple(sample[np.newaxis] for sample in np.load(inputs_path(folder, model))),
    )


@pytest.fixture(scope="session")
def plan_of() -> Callable[..., bytes]:
    """Builds a TensorRT-RTX plan, each once."""
    return cache(build_plan)


@pytest.fixture(scope="session")
def cuda() -> Cuda:
    """The GPU; skips where there is none."""
    try:
        return Cuda()
    except CudaError as error:
        hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
        pytest.skip(f"no GPU to try: {error} (CUDA_VISIBLE_DEVICES={hidden})")


@pytest.fixture(params=["tensorrt-rtx", "onnxruntime-cuda"])
def runner(request: pytest.FixtureRequest) -> str:
    """Each library that runs models on the GPU."""
    return str(request.param)


@pytest.fixture
def good_plan(model_folder: Path, cuda: Cuda, plan_of: Callable[..., bytes], results: GpuResults) -> bytes:
    """A TensorRT-RTX plan that runs; skips where this GPU is not supported."""
    plan = plan_of(onnx_path(model_folder, "small-cnn", "float32").read_bytes())
    supported(cuda, plan, results).close()
    return plan


@pytest.fixture
def open_engine(
    runner: str, cuda: Cuda, plan_of: Callable[..., bytes], results: GpuResults
) -> Iterator[Callable[..., GpuEngine]]:
    """Loads ONNX models, and closes them when the test is over; skips where this GPU is not supported."""
    opened: list[GpuEngine] = []

    def load(model: bytes, *, graph: bool = False, tf32: bool = False) -> GpuEngine:
        if runner == "onnxruntime-cuda":
            require_cuda_provider()
            opened.append(OrtCudaEngine(model, cuda, graph=graph, tf32=tf32))
        else:
            opened.append(supported(cuda, plan_of(model, tf32=tf32), results, graph=graph))
        return opened[-1]

    yield load
    for engine in opened:
        engine.close()


def supported(cuda: Cuda, plan: bytes, results: GpuResults, *, graph: bool = False) -> RtxEngine:
    """A plan's engine, on a GPU that TensorRT-RTX is for."""
    try:
        return RtxEngine(plan, cuda, graph=graph)
    except RefusedPlanError as error:
        if not str(error).startswith("UNSUPPORTED_CC"):
            raise
        results.refuse("tensorrt-rtx", str(error))
        capability = cuda.gpu().compute_capability
        pytest.skip(f"TensorRT-RTX does not support compute capability {capability}: {error}")


@pytest.fixture(scope="session")
def results(cuda: Cuda) -> Iterator[GpuResults]:
    """Numbers to keep, written to the file that ``EDGE_SDK_GPU_RESULTS`` names."""
    noted = GpuResults(cuda.gpu())
    yield noted
    path = os.environ.get("EDGE_SDK_GPU_RESULTS")
    if path:
        noted.write(Path(path))


@pytest.fixture
def note(results: GpuResults, runner: str, case: GpuCase) -> Callable[..., None]:
    """Notes numbers of this case."""

    def note_numbers(**numbers: Any) -> None:
        results.note(runner, case.model, case.precision, **numbers)

    return note_numbers

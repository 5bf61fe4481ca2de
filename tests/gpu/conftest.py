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
from gpu_case import GpuCase
from gpu_engine import GpuEngine
from gpu_graph import is_not_ours
from gpu_models import MODELS, PRECISIONS, inputs_path, onnx_path, write_models
from gpu_results import GpuResults
from ort_cuda_engine import OrtCudaEngine, require_cuda_provider

from edge_sdk.errors import BackendError, MissingExtraError, UsageError
from edge_sdk.inference.tensorrt.build import build_engine, check_target
from edge_sdk.inference.tensorrt.cuda import Cuda, open_cuda
from edge_sdk.inference.tensorrt.engine import TensorRtEngine
from edge_sdk.inference.tensorrt.library import Library, find_library

CASES = [(model, precision) for model in MODELS for precision in PRECISIONS]
TENSORRT, ONNX_RUNTIME = "tensorrt", "onnxruntime-cuda"


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
def cuda() -> Cuda:
    """The GPU; skips where there is none."""
    try:
        return open_cuda()
    except (BackendError, MissingExtraError) as error:
        hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
        pytest.skip(f"no GPU to try: {error.message} (CUDA_VISIBLE_DEVICES={hidden})")


@pytest.fixture(scope="session")
def library(cuda: Cuda, results: GpuResults) -> Library:
    """TensorRT, or TensorRT-RTX, that is for this GPU; skips where neither is."""
    try:
        found = find_library()
        if found.is_rtx:
            check_target(found, cuda.gpu.compute_capability, here=True)
    except MissingExtraError as error:
        pytest.skip(error.message)
    except UsageError as error:
        results.refuse(TENSORRT, error.message)
        pytest.skip(error.message)
    return found


@pytest.fixture(scope="session")
def plan_of(cuda: Cuda, library: Library) -> Callable[[bytes], bytes]:
    """Builds the engine of a model for this GPU, each once."""

    @cache
    def build(model: bytes) -> bytes:
        built = build_engine(library, model, compute_capability=cuda.gpu.compute_capability)
        assert built.plan is not None, built.refusals
        return built.plan

    return build


@pytest.fixture(params=[TENSORRT, ONNX_RUNTIME])
def runner(request: pytest.FixtureRequest) -> str:
    """Each library that runs models on the GPU, by its own name."""
    if request.param == TENSORRT:
        return str(request.getfixturevalue("library").product)
    require_cuda_provider()
    return ONNX_RUNTIME


@pytest.fixture
def open_engine(
    runner: str, cuda: Cuda, request: pytest.FixtureRequest, results: GpuResults
) -> Iterator[Callable[..., GpuEngine]]:
    """Loads ONNX models, and closes them when the test is over."""
    opened: list[GpuEngine] = []

    def load(model: bytes, *, graph: bool = False, **settings: bool) -> GpuEngine:
        if runner == ONNX_RUNTIME:
            opened.append(OrtCudaEngine(model, cuda, graph=graph, **settings))
        else:
            plan: bytes = request.getfixturevalue("plan_of")(model)
            library: Library = request.getfixturevalue("library")
            assert not settings, f"{runner} does without {settings}"
            engine = TensorRtEngine(plan, library=library, cuda=cuda, name="model", graph=graph)
            opened.append(engine)
            if engine.graph_refusal is not None:
                results.refuse(f"{runner}, graph", engine.graph_refusal)
                assert is_not_ours(engine.graph_refusal), engine.graph_refusal
                pytest.skip(engine.graph_refusal)
        return opened[-1]

    yield load
    for engine in opened:
        engine.close()


@pytest.fixture(scope="session")
def results(cuda: Cuda) -> Iterator[GpuResults]:
    """Numbers to keep, written to the file that ``EDGE_SDK_GPU_RESULTS`` names."""
    noted = GpuResults(cuda.gpu)
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

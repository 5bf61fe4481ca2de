"""The way of a device: ``edge-sdk build`` for this GPU, then the backend, as ``run`` opens it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from gpu_case import BOUNDS, GpuCase, relative
from gpu_results import GpuResults

from edge_sdk.errors import BackendError
from edge_sdk.inference.open import open_backend
from edge_sdk.inference.options import EngineOptions, TensorRtOptions
from edge_sdk.inference.tensorrt.build_child import make_engine
from edge_sdk.inference.tensorrt.build_messages import Finished, Job
from edge_sdk.inference.tensorrt.cuda import Cuda
from edge_sdk.inference.tensorrt.engine import TensorRtEngine
from edge_sdk.inference.tensorrt.library import Library

small = pytest.mark.parametrize("case", [("small-cnn", "float16")], ids="-".join, indirect=True)


def built(case: GpuCase, cache: Path) -> Finished:
    """What the process that builds says of it."""
    job = Job(
        name=case.model,
        target="this",
        cache=str(cache),
        workspace_mb=512,
        check_memory=True,
        model_bytes=len(case.onnx),
    )
    outcome = make_engine(job, case.onnx, time_limit_s=1800, on_progress=lambda _: None)
    assert isinstance(outcome, Finished), outcome
    return outcome


@small
def test_an_engine_is_built_found_and_run(
    library: Library, cuda: Cuda, case: GpuCase, tmp_path: Path, results: GpuResults
) -> None:
    options = EngineOptions(tensorrt=TensorRtOptions(cache=str(tmp_path)))
    with pytest.raises(BackendError, match="no engine of small-cnn"):
        open_backend(case.onnx, "onnx", backend="tensorrt", name=case.model, options=options)
    first, again = built(case, tmp_path), built(case, tmp_path)
    assert (first.status, again.status, again.tried) == ("built", "found", True)
    results.note(library.product, case.model, case.precision, build_s=first.seconds, engine_bytes=first.bytes)
    with open_backend(case.onnx, "onnx", backend="tensorrt", name=case.model, options=options) as backend:
        given = [next(iter(backend.infer({case.input_name: value}).values())).copy() for value in case.inputs]
    assert relative(given, case.on_cpu(case.onnx)) <= BOUNDS[case.precision]


@small
def test_mapped_memory_gives_the_same_answers(
    library: Library, cuda: Cuda, case: GpuCase, plan_of: Callable[[bytes], bytes]
) -> None:
    if not cuda.gpu.integrated:
        pytest.skip(f"{cuda.gpu} is not integrated")
    plan = plan_of(case.onnx)
    answers = []
    for mapped in (False, True):
        engine = TensorRtEngine(plan, library=library, cuda=cuda, name=case.model, mapped_memory=mapped)
        answers.append(case.on_gpu(engine))
        engine.close()
    assert relative(answers[1], answers[0]) <= BOUNDS[case.precision]


@small
def test_an_answer_outlives_its_engine(
    library: Library, cuda: Cuda, case: GpuCase, plan_of: Callable[[bytes], bytes]
) -> None:
    engine = TensorRtEngine(plan_of(case.onnx), library=library, cuda=cuda, name=case.model)
    kept = next(iter(engine.run(case.tensors).values()))
    before = kept.copy()
    engine.close()
    del engine
    assert np.array_equal(kept, before)

"""ONNX Runtime uses what it was told to use, or says that it cannot; and what suits a small device."""

from __future__ import annotations

import logging
import sys

import numpy as np
import pytest
from fake_onnxruntime import CPU, CUDA, FakeOnnxRuntime
from tiny_models import INPUT, OUTPUT, tiny_onnx

from edge_sdk.errors import BackendError
from edge_sdk.inference.onnx import OnnxEngine
from edge_sdk.inference.onnx_providers import provider_settings
from edge_sdk.inference.open import open_backend
from edge_sdk.inference.options import EngineOptions, OnnxOptions, ProviderName

WEIGHTS = np.eye(3, 4, dtype=np.float32)
MODEL = tiny_onnx(WEIGHTS, np.zeros(3, dtype=np.float32), (1, 4))
TENSOR = np.array([[1.0, -2.0, 0.5, 9.0]], dtype=np.float32)
ANSWER = 1 / (1 + np.exp(-TENSOR[:, :3]))


def opened(options: OnnxOptions, *, threads: int = 1, reference_kernels: bool = False) -> OnnxEngine:
    return OnnxEngine(
        MODEL, threads=threads, reference_kernels=reference_kernels, name="tones", options=options
    )


def installed(monkeypatch: pytest.MonkeyPatch, runtime: FakeOnnxRuntime) -> FakeOnnxRuntime:
    monkeypatch.setitem(sys.modules, "onnxruntime", runtime)
    return runtime


@pytest.mark.parametrize(
    "options",
    [
        OnnxOptions(),
        OnnxOptions(providers=["cpu"]),
        OnnxOptions(spinning=True),
        OnnxOptions(memory_arena=False, memory_pattern=False),
        OnnxOptions(shrink_arena=True),
    ],
)
@pytest.mark.parametrize("threads", [1, 2])
def test_options_change_no_answer(options: OnnxOptions, threads: int) -> None:
    engine_options = EngineOptions(threads=threads, onnx=options)
    with open_backend(MODEL, "onnx", options=engine_options) as backend:
        for _ in range(3):
            np.testing.assert_allclose(backend.infer({INPUT: TENSOR})[OUTPUT], ANSWER, atol=1e-6)


def test_a_cache_folder_that_is_no_whole_path_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else engines would come to lie wherever a device was started."""
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/ranger")
    _, settings = provider_settings("TensorrtExecutionProvider", OnnxOptions(), threads=1)
    assert settings["trt_engine_cache_path"] == "/home/ranger/.cache/edge-sdk/onnxruntime"


@pytest.mark.parametrize("name", ["cuda", "tensorrt", "openvino", "coreml"])
def test_a_provider_that_this_build_lacks_is_refused_by_name(name: ProviderName) -> None:
    with pytest.raises(BackendError, match=rf"no execution provider '{name}'; it has: cpu") as caught:
        opened(OnnxOptions(providers=[name, "cpu"]))
    assert caught.value.hint


@pytest.mark.parametrize("outcome", ["skipped", "fails"])
def test_a_named_provider_that_does_not_load_is_an_error_not_the_processor(
    monkeypatch: pytest.MonkeyPatch, outcome: str
) -> None:
    installed(monkeypatch, FakeOnnxRuntime(CUDA, outcome="fails" if outcome == "fails" else "skipped"))
    with pytest.raises(
        BackendError,
        match=r"'cuda' does not load here|with the execution providers cuda, cpu: CUDA failure",
    ):
        opened(OnnxOptions(providers=["cuda", "cpu"]))


@pytest.mark.parametrize("outcome", ["skipped", "fails"])
def test_where_nothing_is_named_the_processor_takes_over_and_it_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, outcome: str
) -> None:
    runtime = FakeOnnxRuntime(CUDA, outcome="fails" if outcome == "fails" else "skipped")
    installed(monkeypatch, runtime)
    with caplog.at_level(logging.WARNING):
        engine = opened(OnnxOptions())
    assert engine.providers == (CPU,)
    assert "built with CUDA, but the CPU runs the model" in caplog.text
    # What CUDA needs would make int8 slow on the processor, so that it is a session of its own.
    assert [list(asked) for asked in runtime.asked] == [[CUDA, CPU], [CPU]]
    np.testing.assert_allclose(engine.run({INPUT: TENSOR})[OUTPUT], ANSWER, atol=1e-6)


def test_cuda_is_used_where_it_is_there_with_full_float32_and_without_moving_int8(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    runtime = installed(monkeypatch, FakeOnnxRuntime(CUDA))
    assert opened(OnnxOptions()).providers == (CUDA, CPU)
    assert runtime.asked[0][CUDA]["use_tf32"] == "0"
    assert runtime.settings[0].get_session_config_entry("session.disable_quant_qdq") == "1"
    assert caplog.text == ""
    opened(OnnxOptions(providers=["cuda"], tf32=True))
    assert runtime.asked[1] == {CUDA: {**runtime.asked[0][CUDA], "use_tf32": "1"}}


def test_providers_are_asked_in_the_order_of_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = installed(monkeypatch, FakeOnnxRuntime("TensorrtExecutionProvider", CUDA))
    opened(OnnxOptions(providers=["tensorrt", "cuda", "cpu"]))
    assert list(runtime.asked[0]) == ["TensorrtExecutionProvider", CUDA, CPU]
    assert runtime.asked[0]["TensorrtExecutionProvider"]["trt_engine_cache_enable"] == "1"
    opened(OnnxOptions())  # would build for minutes, and say nothing: only where it is named
    assert list(runtime.asked[1]) == [CUDA, CPU]


def test_xnnpack_has_the_threads_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = installed(monkeypatch, FakeOnnxRuntime("XnnpackExecutionProvider"))
    opened(OnnxOptions(providers=["xnnpack", "cpu"]), threads=3)
    assert runtime.asked[0]["XnnpackExecutionProvider"] == {"intra_op_num_threads": "3"}
    assert runtime.settings[0].intra_op_num_threads == 1


def test_reference_kernels_are_those_of_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = installed(monkeypatch, FakeOnnxRuntime(CUDA))
    opened(OnnxOptions(providers=["cuda"]), reference_kernels=True)
    assert list(runtime.asked[0]) == [CPU]


def test_a_converter_proves_on_the_processor_wherever_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = installed(monkeypatch, FakeOnnxRuntime(CUDA))
    open_backend(MODEL, "onnx").close()
    assert list(runtime.asked[0]) == [CPU]


@pytest.mark.parametrize("spinning", [False, True])
def test_idle_threads_wait_in_a_loop_only_where_that_is_wanted(
    monkeypatch: pytest.MonkeyPatch, *, spinning: bool
) -> None:
    runtime = installed(monkeypatch, FakeOnnxRuntime())
    opened(OnnxOptions(spinning=spinning), threads=2)
    entry = runtime.settings[0].get_session_config_entry("session.intra_op.allow_spinning")
    assert entry == str(int(spinning))


def test_options_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="shrink_arena needs memory_arena"):
        OnnxOptions(memory_arena=False, shrink_arena=True)
    with pytest.raises(ValueError, match="must name one"):
        OnnxOptions(providers=[])


def test_a_model_that_is_refused_is_refused_with_cuda_as_well(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    installed(monkeypatch, FakeOnnxRuntime(CUDA))
    with pytest.raises(BackendError, match="ONNX Runtime cannot load tones"):
        OnnxEngine(b"no model", threads=1, reference_kernels=False, name="tones", options=OnnxOptions())

"""TensorRT-RTX is asked about every model in a process of its own; whatever becomes of that is told."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest
from onnx import helper, numpy_helper
from onnx_nets import INPUT, SHAPE, onnx_model, pictures, residual_net

from converters.preflight.preflight import Preflight, is_installed
from converters.variants.onnx_float16 import convert_float16
from converters.variants.onnx_int8 import OnnxQuantizer
from converters.variants.onnx_lint import lint_onnx
from converters.variants.onnx_prepared import prepare_onnx
from edge_sdk.contract.manifest import BuildCheck

_FAKE = """
import os, signal, sys, time

__version__ = "9.9.9.9"

class ILogger:
    INTERNAL_ERROR = ERROR = WARNING = INFO = VERBOSE = 0

class IExecutionContext:
    set_tensor_address = execute_async_v3 = None

class NetworkDefinitionCreationFlag:
    STRONGLY_TYPED = 1

def Builder(log):
    {body}
"""


@pytest.fixture
def rtx() -> None:
    if not is_installed():
        pytest.skip("TensorRT-RTX is not installed: pip install './edge-sdk[tensorrt-rtx]'")


def checked(model: bytes) -> BuildCheck:
    with Preflight() as preflight:
        preflight.ask("model", model)
        found, failure = preflight.results()
    assert failure == ""
    return found["model"]


def fake_library(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """A ``tensorrt_rtx`` that does this where a builder is asked for."""
    (folder / "tensorrt_rtx.py").write_text(_FAKE.format(body=body))
    monkeypatch.setenv("PYTHONPATH", str(folder))


@pytest.mark.usefixtures("rtx")
def test_a_model_builds_in_each_precision() -> None:
    prepared = prepare_onnx(residual_net(), INPUT, SHAPE)
    int8 = OnnxQuantizer(prepared, lambda: iter(pictures(8)), heads_in_float=False).quantize()
    for model in (prepared.content, convert_float16(prepared, pictures(2)).content, int8):
        check = checked(model)
        assert (check.tool, check.passed, check.refusals) == ("TensorRT-RTX", True, [])
        assert check.version.startswith("1.")


@pytest.mark.usefixtures("rtx")
def test_an_unsupported_operator_is_named_with_its_node() -> None:
    nodes = [
        helper.make_node("Relu", [INPUT], ["a"]),
        helper.make_node("Unique", ["a"], ["y"], name="different_values"),
    ]
    check = checked(onnx_model(nodes, []))
    assert not check.passed
    (refusal,) = check.refusals
    assert (refusal.operator, refusal.node) == ("Unique", "different_values")
    assert refusal.reason


@pytest.mark.usefixtures("rtx")
@pytest.mark.parametrize(("zero", "scale"), [(3, 0.1), (0, 0.0)])
def test_pairs_that_are_refused_are_pairs_that_the_lint_finds(zero: int, scale: float) -> None:
    constants = [
        numpy_helper.from_array(np.array(scale, np.float32), "scale"),
        numpy_helper.from_array(np.array(zero, np.int8), "zero"),
    ]
    nodes = [
        helper.make_node("QuantizeLinear", [INPUT, "scale", "zero"], ["q"], name="quantize"),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["y"]),
    ]
    model = onnx_model(nodes, constants)
    check = checked(model)
    assert not check.passed
    assert check.refusals[0].operator == "QuantizeLinear"
    assert {finding.rule for finding in lint_onnx(model)} == {"zero-point" if zero else "scale"}


def test_a_crash_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_library(tmp_path, monkeypatch, "os.kill(os.getpid(), signal.SIGSEGV)")
    check = checked(residual_net())
    assert (check.tool, check.version, check.passed) == ("TensorRT-RTX", "9.9.9.9", False)
    assert check.refusals[0].reason.startswith("its builder ended by SIGSEGV")


def test_a_hang_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_library(tmp_path, monkeypatch, "time.sleep(600)")
    for seconds in (3, 12, 48):  # a slow machine may take the first to load what then hangs
        with Preflight(seconds) as preflight:
            preflight.ask("model", residual_net())
            found, _ = preflight.results()
        if found:
            break
    assert found["model"].refusals[0].reason == f"no end after {seconds} s"


def test_a_library_that_does_not_load_is_no_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tensorrt_rtx.py").write_text("raise ImportError('libcudart.so.13: no such file')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    if importlib.util.find_spec("tensorrt_rtx_bindings") is not None:
        (tmp_path / "tensorrt_rtx_bindings.py").write_text("raise ImportError('libcudart.so.13')")
    with Preflight() as preflight:
        preflight.ask("model", residual_net())
        found, failure = preflight.results()
    assert found == {}
    assert "libcudart" in failure


def test_leaving_ends_a_builder_that_still_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = tmp_path / "started"
    os.mkfifo(started)
    fake_library(tmp_path, monkeypatch, f"open({str(started)!r}, 'w').close(); time.sleep(600)")
    with Preflight() as preflight:
        preflight.ask("first", residual_net())
        preflight.ask("second", residual_net())
        started.read_bytes()  # until it is opened and closed there
    assert preflight._process is None

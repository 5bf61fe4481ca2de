"""Which library runs a model; one that is missing is told from one that is broken."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_backends import TENSOR, by_hand, opened
from tiny_models import INPUT, OUTPUT

from edge_sdk.errors import BackendError, MissingExtraError
from edge_sdk.inference import engine as engine_module
from edge_sdk.inference.open import engine_installed


def hide(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)


def forget(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    """Have them imported anew; what was there before, be it nothing, comes back after the test."""
    hide(monkeypatch, *modules)
    for module in modules:
        monkeypatch.delitem(sys.modules, module)


def test_missing_tflite_runtime_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "ai_edge_litert.interpreter", "tflite_runtime.interpreter")
    hide(monkeypatch, "tensorflow.lite.python.interpreter")
    with pytest.raises(MissingExtraError, match="ai_edge_litert") as caught:
        opened("tflite")
    assert "pip install './edge-sdk[tflite]'" in str(caught.value)


def test_missing_onnxruntime_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "onnxruntime")
    with pytest.raises(MissingExtraError, match="onnxruntime") as caught:
        opened("onnx")
    assert "pip install './edge-sdk[onnx]'" in str(caught.value)


def test_older_runtime_stands_in_where_litert_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    older = importlib.import_module("ai_edge_litert.interpreter")
    hide(monkeypatch, "ai_edge_litert.interpreter")
    monkeypatch.setitem(sys.modules, "tflite_runtime", sys)
    monkeypatch.setitem(sys.modules, "tflite_runtime.interpreter", older)
    with opened("tflite") as backend:
        np.testing.assert_allclose(backend.infer({INPUT: TENSOR})[OUTPUT], by_hand(TENSOR), atol=1e-6)


def test_runtime_that_is_broken_is_not_called_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "ai_edge_litert"
    broken.mkdir()
    (broken / "__init__.py").write_text("")
    (broken / "interpreter.py").write_text("raise ImportError('GLIBC_2.99 not found')")
    monkeypatch.syspath_prepend(tmp_path)
    forget(monkeypatch, "ai_edge_litert", "ai_edge_litert.interpreter")
    hide(monkeypatch, "tflite_runtime.interpreter", "tensorflow.lite.python.interpreter")
    with pytest.raises(BackendError, match=r"does not load: GLIBC_2\.99 not found"):
        opened("tflite")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("raise ImportError('GLIBC_2.99 not found')", "does not load: GLIBC_2.99 not found"),
        ("import what_it_stands_on", "does not load: No module named 'what_it_stands_on'"),
        ("import numpy; numpy.what_it_had", "does not load: module 'numpy' has no attribute"),
        ("", "not whole: it has no Interpreter"),
    ],
)
def test_broken_runtime_gives_way_to_a_whole_one_and_is_told_once(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    content: str,
    told: str,
) -> None:
    """As after an update that was cut off, on a device that had the older one before."""
    whole = importlib.import_module("ai_edge_litert.interpreter")
    broken = tmp_path / "ai_edge_litert"
    broken.mkdir()
    (broken / "__init__.py").write_text("")
    (broken / "interpreter.py").write_text(content)
    monkeypatch.syspath_prepend(tmp_path)
    forget(monkeypatch, "ai_edge_litert", "ai_edge_litert.interpreter")
    monkeypatch.setitem(sys.modules, "tflite_runtime", sys)
    monkeypatch.setitem(sys.modules, "tflite_runtime.interpreter", whole)
    engine_module._warn_once.cache_clear()
    for _ in range(2):
        with opened("tflite") as backend:
            np.testing.assert_allclose(backend.infer({INPUT: TENSOR})[OUTPUT], by_hand(TENSOR), atol=1e-6)
    assert caplog.text.count(f"ai_edge_litert.interpreter is installed but {told}") == 1


def test_where_no_runtime_is_whole_each_broken_one_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for package in ("ai_edge_litert", "tflite_runtime"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("")
        (tmp_path / package / "interpreter.py").write_text(f"raise ImportError('{package} lacks it')")
        forget(monkeypatch, package, f"{package}.interpreter")
    hide(monkeypatch, "tensorflow.lite.python.interpreter")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BackendError, match=r"ai_edge_litert lacks it; .*tflite_runtime lacks it") as caught:
        opened("tflite")
    assert "install it again" in str(caught.value.hint)


def test_runtime_whose_own_need_is_missing_is_not_called_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """To install it once more, as it was, would help nobody."""
    (tmp_path / "onnxruntime.py").write_text("import what_it_stands_on")
    monkeypatch.syspath_prepend(tmp_path)
    forget(monkeypatch, "onnxruntime")
    with pytest.raises(BackendError, match=r"does not load: No module named 'what_it_stands_on'") as caught:
        opened("onnx")
    assert "with what it needs" in str(caught.value.hint)


def test_folder_that_was_left_of_a_runtime_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As uninstalling one of onnxruntime and onnxruntime-gpu leaves it: Python imports it all the same."""
    (tmp_path / "onnxruntime").mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    forget(monkeypatch, "onnxruntime")
    with pytest.raises(BackendError, match="onnxruntime is installed but not whole") as caught:
        opened("onnx")
    assert "uninstall both" in str(caught.value.hint)


def test_installed_engines_are_found_without_loading_them() -> None:
    assert engine_installed("tflite")
    assert engine_installed("onnx")

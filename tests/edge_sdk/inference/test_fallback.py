"""Whatever stands in the way of one choice, the next is tried, and what failed is told."""

from __future__ import annotations

import gc
import sys
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from example_contract import npy
from tiny_bundle import tiny_bundle

from edge_sdk.contract.bundle import Bundle
from edge_sdk.errors import BackendError, BundleError, MissingExtraError, UsageError, VerificationError
from edge_sdk.inference.choice import Choice, possible_choices
from edge_sdk.inference.engine import EngineBackend
from edge_sdk.inference.fallback import Opened, open_first
from edge_sdk.inference.onnx import OnnxEngine
from edge_sdk.inference.options import BackendName, EngineOptions, TensorRtOptions
from edge_sdk.inference.tensorrt import open as tensorrt_module

MADE = tiny_bundle(("tflite-float32", "onnx-float32"))
OTHER_SCORES = npy(np.full((4, 3), 0.5, dtype=np.float32))
BOTH: list[BackendName] = ["tflite", "onnx"]


def bundle_with(members: dict[str, bytes]) -> Bundle:
    """The bundle with other bytes in some members."""
    return replace(MADE, members={**MADE.members, **members}).bundle()


def first(bundle: Bundle, backends: list[BackendName]) -> Opened:
    return open_first(bundle, possible_choices(bundle.manifest, backends=backends))


def refusals(opened: Opened) -> list[tuple[str, str]]:
    return [(str(one.choice), one.reason) for one in opened.refused]


def test_the_first_that_works_is_taken_with_its_golden_samples() -> None:
    opened = first(MADE.bundle(), BOTH)
    with opened.backend:
        assert (opened.choice.variant.name, opened.choice.backend) == ("tflite-float32", "tflite")
        assert opened.golden is not None
        assert opened.golden.passed
        assert opened.refused == ()


def test_a_library_that_is_not_installed_is_told_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in ("ai_edge_litert", "tflite_runtime", "tensorflow.lite.python"):
        monkeypatch.setitem(sys.modules, f"{module}.interpreter", None)
    opened = first(MADE.bundle(), BOTH)
    assert opened.choice.backend == "onnx"
    assert refusals(opened) == [
        ("tflite-float32 on tflite", "the Python library 'ai_edge_litert' is not installed")
    ]
    assert "edge-sdk[tflite]" in (opened.refused[0].hint or "")


def test_a_model_that_the_library_refuses_is_passed_over() -> None:
    opened = first(bundle_with({"models/tflite-float32.tflite": b"no model"}), BOTH)
    assert opened.choice.backend == "onnx"
    assert "TFLite cannot load tones/tflite-float32" in opened.refused[0].reason


def test_a_variant_that_fails_its_golden_samples_is_passed_over() -> None:
    opened = first(bundle_with({"golden/tflite-float32.npy": OTHER_SCORES}), BOTH)
    assert opened.choice.backend == "onnx"
    assert "fails its golden samples: sample" in opened.refused[0].reason


def test_memory_that_runs_out_while_loading_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = pytest.importorskip("ai_edge_litert.interpreter")

    def starved(**_: Any) -> None:
        raise MemoryError("std::bad_alloc")

    monkeypatch.setattr(runtime, "Interpreter", starved)
    opened = first(MADE.bundle(), BOTH)
    assert opened.choice.backend == "onnx"
    assert "std::bad_alloc" in opened.refused[0].reason


@pytest.mark.parametrize(
    "error",
    [
        MissingExtraError("tensorrt", "tensorrt-rtx"),
        BackendError("there is no NVIDIA driver", hint="install it"),
        BackendError("no engine was built of onnx-float32", hint="edge-sdk build BUNDLE"),
    ],
)
def test_an_engine_that_cannot_be_had_leaves_the_onnx_file_to_onnx_runtime(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(model: bytes, **_: Any) -> None:
        raise error

    monkeypatch.setattr(tensorrt_module, "open_engine", refuse)
    opened = first(MADE.bundle(), ["tensorrt", "onnx"])
    assert str(opened.choice) == "onnx-float32 on onnx"
    assert [(str(one.choice), one.reason) for one in opened.refused] == [
        ("onnx-float32 on tensorrt", getattr(error, "message", ""))
    ]
    assert opened.refused[0].hint


def test_what_failed_holds_no_memory_when_the_next_one_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a Jetson it would be the very memory that the next one needs."""
    loaded: list[weakref.ref[Any]] = []

    gone: list[bool] = []

    def fail_when_loaded(model: bytes, **_: Any) -> None:
        gone.extend(one() is None for one in loaded)
        engine = OnnxEngine(model, threads=1, reference_kernels=False, name="stand-in")
        loaded.append(weakref.ref(engine))
        raise BackendError("no memory") from RuntimeError("std::bad_alloc")

    monkeypatch.setattr(tensorrt_module, "open_engine", fail_when_loaded)
    on_tensorrt, on_onnx = possible_choices(MADE.manifest, backends=["tensorrt", "onnx"])
    open_first(MADE.bundle(), [on_tensorrt, on_tensorrt, on_onnx]).backend.close()
    assert gone == [True]


def test_tensorrt_is_told_what_the_configuration_says_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """ONNX Runtime stands in for it; its answers pass the golden samples."""
    asked: list[dict[str, Any]] = []

    def stand_in(model: bytes, *, name: str, **options: Any) -> OnnxEngine:
        asked.append(options)
        return OnnxEngine(model, threads=1, reference_kernels=False, name=name)

    monkeypatch.setattr(tensorrt_module, "open_engine", stand_in)
    choices = possible_choices(MADE.manifest, backends=["tensorrt"])
    options = TensorRtOptions(cache="/var/cache/engines", cuda_graph=False, mapped_memory=True)
    with open_first(MADE.bundle(), choices, EngineOptions(tensorrt=options)).backend as backend:
        assert backend.outputs[0].name == "scores"
    open_first(MADE.bundle(), choices).backend.close()
    assert asked == [
        {"cache": Path("/var/cache/engines"), "graph": False, "mapped_memory": True},
        {"cache": None, "graph": True, "mapped_memory": False},
    ]


def test_where_all_fail_each_is_named() -> None:
    broken = bundle_with(
        {"models/tflite-float32.tflite": b"no model", "golden/onnx-float32.npy": OTHER_SCORES}
    )
    with pytest.raises(BackendError) as caught:
        first(broken, BOTH)
    text = caught.value.message
    assert text.startswith("nothing in tiny.edge works here:")
    assert "tflite-float32 on tflite: TFLite cannot load" in text
    assert "onnx-float32 on onnx: tiny.edge, variant onnx-float32, fails its golden samples" in text


def test_where_only_libraries_are_missing_all_are_named_and_it_is_wrong_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in ("ai_edge_litert", "tflite_runtime", "tensorflow.lite.python"):
        monkeypatch.setitem(sys.modules, f"{module}.interpreter", None)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UsageError) as caught:
        first(MADE.bundle(), BOTH)
    assert "'ai_edge_litert' is not installed" in caught.value.message
    assert "'onnxruntime' is not installed" in caught.value.message
    hints = (caught.value.hint or "").splitlines()
    assert [hint.partition("[")[0] for hint in hints] == [
        "for tflite: pip install './edge-sdk",
        "for onnx: pip install './edge-sdk",
    ]


def test_where_all_compute_something_else_it_is_no_question_of_loading() -> None:
    off = bundle_with({"golden/tflite-float32.npy": OTHER_SCORES, "golden/onnx-float32.npy": OTHER_SCORES})
    with pytest.raises(VerificationError, match=r"nothing in tiny\.edge works here"):
        first(off, BOTH)


def test_the_only_choice_fails_with_its_own_error() -> None:
    off = bundle_with({"golden/onnx-float32.npy": OTHER_SCORES})
    with pytest.raises(VerificationError, match="variant onnx-float32, fails its golden samples"):
        first(off, ["onnx"])


def test_without_golden_samples_a_variant_is_only_loaded() -> None:
    off = bundle_with({"golden/tflite-float32.npy": OTHER_SCORES})
    opened = open_first(off, possible_choices(off.manifest, backends=BOTH), golden=False)
    assert opened.choice.backend == "tflite"
    assert opened.golden is None


def test_what_was_refused_does_not_stay_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[weakref.ref[Any]] = []
    made = EngineBackend.__init__

    def watched(self: EngineBackend, model: str, engine: Any) -> None:
        kept.append(weakref.ref(engine))
        made(self, model, engine)

    monkeypatch.setattr(EngineBackend, "__init__", watched)
    opened = first(bundle_with({"golden/tflite-float32.npy": OTHER_SCORES}), BOTH)
    gc.collect()
    assert [engine() is None for engine in kept] == [True, False]
    opened.backend.close()


def test_a_bundle_whose_golden_samples_are_damaged_is_no_matter_of_choice() -> None:
    damaged = bundle_with({"golden/inputs.npy": b"no array"})
    with pytest.raises(BundleError, match=r"no \.npy array"):
        first(damaged, BOTH)


def test_a_choice_says_what_it_is() -> None:
    assert str(Choice(MADE.manifest.variants[0], "tflite")) == "tflite-float32 on tflite"

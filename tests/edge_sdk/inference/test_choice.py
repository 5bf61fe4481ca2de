"""What may run a bundle here, in the order that the configuration, this device or the bundle gives."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tiny_bundle import tiny_bundle

from edge_sdk.errors import UsageError
from edge_sdk.inference import choice as choice_module
from edge_sdk.inference.choice import possible_choices
from edge_sdk.inference.options import BackendName

MANIFEST = tiny_bundle().manifest  # tflite-float32, tflite-int8, onnx-float32


@pytest.fixture(autouse=True)
def without_tensorrt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice_module, "backend_installed", lambda backend: backend != "tensorrt")


def order(
    variant: str | None = None,
    backends: Sequence[BackendName] | None = None,
    pick: tuple[str, BackendName] | None = None,
) -> list[str]:
    return [str(one) for one in possible_choices(MANIFEST, variant=variant, backends=backends, pick=pick)]


def test_the_bundle_gives_the_order_where_nobody_else_does() -> None:
    assert order() == ["tflite-float32 on tflite", "tflite-int8 on tflite", "onnx-float32 on onnx"]


def test_tensorrt_goes_before_onnx_where_its_library_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice_module, "backend_installed", lambda backend: True)
    assert order()[2:] == ["onnx-float32 on tensorrt", "onnx-float32 on onnx"]


def test_the_configuration_gives_the_order_and_what_may_run_at_all() -> None:
    assert order(backends=["onnx", "tflite"]) == [
        "onnx-float32 on onnx",
        "tflite-float32 on tflite",
        "tflite-int8 on tflite",
    ]
    assert order(backends=["onnx"]) == ["onnx-float32 on onnx"]


def test_tensorrt_that_is_named_is_tried_whether_it_is_there_or_not() -> None:
    assert order(backends=["tensorrt", "onnx"]) == ["onnx-float32 on tensorrt", "onnx-float32 on onnx"]


def test_one_variant_is_tried_on_all_that_run_it() -> None:
    assert order("onnx-float32", ["tensorrt", "onnx"]) == ["onnx-float32 on tensorrt", "onnx-float32 on onnx"]
    assert order("tflite-int8") == ["tflite-int8 on tflite"]


def test_what_was_fastest_here_goes_first_and_the_rest_stays_behind_it() -> None:
    assert order(pick=("onnx-float32", "onnx")) == [
        "onnx-float32 on onnx",
        "tflite-float32 on tflite",
        "tflite-int8 on tflite",
    ]


def test_the_configuration_goes_before_what_was_fastest() -> None:
    assert order(backends=["tflite", "onnx"], pick=("onnx-float32", "onnx"))[0] == "tflite-float32 on tflite"
    assert order(backends=["tflite", "onnx"], pick=("tflite-int8", "tflite"))[0] == "tflite-int8 on tflite"
    assert order("tflite-float32", pick=("tflite-int8", "tflite")) == ["tflite-float32 on tflite"]


def test_a_backend_that_runs_nothing_in_the_bundle_is_wrong_use() -> None:
    with pytest.raises(UsageError, match="variant tflite-int8 does not run on 'onnx'") as caught:
        order("tflite-int8", ["onnx"])
    assert caught.value.hint == "it runs on: tflite"
    with pytest.raises(UsageError) as caught:
        order("tflite-int8", ["onnx", "tensorrt", "onnx"])
    assert caught.value.message == "variant tflite-int8 does not run on 'onnx' or 'tensorrt'"


def test_a_variant_that_is_not_there_is_wrong_use() -> None:
    with pytest.raises(UsageError, match="no variant 'int4'"):
        order("int4")

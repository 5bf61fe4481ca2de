"""Every engine gives the same answers, refuses what does not fit, and blames nobody else for it."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_backends import BIAS, FEATURES, MODELS, SHAPE, TENSOR, WEIGHTS, by_hand, opened
from tiny_models import INPUT, OUTPUT, tiny_int8_tflite, tiny_onnx, tiny_tflite

from edge_sdk.contract.manifest import ModelFormat
from edge_sdk.contract.values import Array
from edge_sdk.errors import BackendError, UsageError
from edge_sdk.inference import onnx as onnx_module
from edge_sdk.inference.open import open_backend

LARGEST = 4.0

OPEN_BATCH: dict[str, tuple[ModelFormat, bytes]] = {
    "tflite": ("tflite", tiny_tflite(WEIGHTS, BIAS, (-1, *FEATURES))),
    "onnx": ("onnx", tiny_onnx(WEIGHTS, BIAS, ("batch", *FEATURES))),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("reference_kernels", [False, True])
@pytest.mark.parametrize("threads", [1, 2])
def test_answer_is_the_one_computed_by_hand(name: str, *, reference_kernels: bool, threads: int) -> None:
    with opened(name, reference_kernels=reference_kernels, threads=threads) as backend:
        answer = backend.infer({INPUT: TENSOR})
    np.testing.assert_allclose(answer[OUTPUT], by_hand(TENSOR), atol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_specs_name_both_ends(name: str) -> None:
    with opened(name) as backend:
        assert [(spec.name, spec.shape, spec.dtype) for spec in backend.inputs] == [(INPUT, SHAPE, "float32")]
        assert [(spec.name, spec.shape, spec.dtype) for spec in backend.outputs] == [
            (OUTPUT, (1, 3), "float32")
        ]


@pytest.mark.parametrize("name", OPEN_BATCH)
def test_open_batch_takes_any_number_of_windows_in_turn(name: str) -> None:
    model_format, model = OPEN_BATCH[name]
    with open_backend(model, model_format) as backend:
        assert backend.inputs[0].shape == (None, *FEATURES)
        for n in (1, 4, 4, 2, 1):
            batch = np.concatenate([TENSOR * (k + 1) / 4 for k in range(n)])
            np.testing.assert_allclose(backend.infer({INPUT: batch})[OUTPUT], by_hand(batch), atol=1e-6)


@given(values=st.lists(st.floats(-3.875, 3.875, width=32), min_size=40, max_size=40))
def test_quantized_model_takes_and_gives_real_numbers(values: list[float]) -> None:
    tensor = np.array(values, dtype=np.float32).reshape(SHAPE)
    answer = QUANTIZED.infer({INPUT: tensor})[OUTPUT]
    assert answer.dtype == np.float32
    np.testing.assert_allclose(answer, by_hand(tensor), atol=0.08)


QUANTIZED = open_backend(tiny_int8_tflite(WEIGHTS, BIAS, SHAPE, LARGEST), "tflite")


def test_quantized_model_saturates_where_a_value_is_out_of_range() -> None:
    assert QUANTIZED.inputs[0].dtype == "float32"
    beyond = QUANTIZED.infer({INPUT: np.full(SHAPE, 1e6, dtype=np.float32)})[OUTPUT]
    largest = QUANTIZED.infer({INPUT: np.full(SHAPE, LARGEST, dtype=np.float32)})[OUTPUT]
    np.testing.assert_array_equal(beyond, largest)


def test_quantized_model_with_an_open_batch_takes_any_number_of_windows_in_turn() -> None:
    """The memory for its own numbers is kept from one inference to the next, while their shape stays."""
    model = tiny_int8_tflite(WEIGHTS, BIAS, (-1, *FEATURES), LARGEST)
    with open_backend(model, "tflite") as backend:
        for n in (1, 4, 4, 2, 1):
            batch = np.concatenate([TENSOR * (k + 1) / 4 for k in range(n)])
            np.testing.assert_allclose(backend.infer({INPUT: batch})[OUTPUT], by_hand(batch), atol=0.08)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({}, "was given nothing"),
        ({"other": TENSOR}, "was given other"),
        ({INPUT: TENSOR, "other": TENSOR}, "was given features, other"),
        ({INPUT: TENSOR.astype(np.float64)}, r"was given float64 \[1, 8, 5\]"),
        ({INPUT: TENSOR[0]}, r"was given float32 \[8, 5\]"),
        ({INPUT: np.zeros((2, 8, 5), dtype=np.float32)}, r"was given float32 \[2, 8, 5\]"),
        ({INPUT: TENSOR.reshape(1, 5, 8)}, r"was given float32 \[1, 5, 8\]"),
    ],
)
def test_tensor_that_does_not_fit_is_refused_with_both_sides_named(
    name: str, tensors: dict[str, Array], message: str
) -> None:
    with (
        opened(name) as backend,
        pytest.raises(BackendError, match=rf"tones takes 'features' float32 \[1, 8, 5\].*{message}"),
    ):
        backend.infer(tensors)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("content", [b"", b"no model", b"\0" * 64])
def test_bytes_that_are_no_model_are_a_backend_error(name: str, content: bytes) -> None:
    with pytest.raises(BackendError, match="tones"):
        open_backend(content, MODELS[name][0], name="tones")


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated_model_is_a_backend_error(name: str, share: float) -> None:
    model_format, model = MODELS[name]
    with pytest.raises(BackendError):
        open_backend(model[: int(len(model) * share)], model_format)


@pytest.mark.parametrize("name", MODELS)
def test_closed_backend_says_so(name: str) -> None:
    backend = opened(name)
    backend.close()
    backend.close()
    with pytest.raises(BackendError, match="tones was closed"):
        backend.infer({INPUT: TENSOR})


@pytest.mark.parametrize("name", MODELS)
def test_answer_of_the_last_call_survives_being_kept(name: str) -> None:
    with opened(name) as backend:
        kept = backend.infer({INPUT: TENSOR})[OUTPUT]
        before = kept.copy()
    np.testing.assert_array_equal(kept, before)


@pytest.mark.parametrize("threads", [0, 65, 100_000])
def test_a_number_of_threads_that_no_engine_can_take_is_wrong_use(threads: int) -> None:
    with pytest.raises(UsageError, match=f"1 to 64 threads, not {threads}"):
        open_backend(MODELS["tflite"][1], "tflite", threads=threads)


# --- failures inside an engine ---


def test_failure_inside_onnxruntime_is_a_backend_error() -> None:
    """A model that declares one input and reshapes to another size fails only when it runs."""
    lying = tiny_onnx(WEIGHTS, BIAS, ("batch", "height", "width"))
    with (
        open_backend(lying, "onnx", name="tones") as backend,
        pytest.raises(BackendError, match="ONNX Runtime failed to run tones"),
    ):
        backend.infer({INPUT: np.zeros((1, 7, 3), dtype=np.float32)})


def test_failure_inside_tflite_is_a_backend_error() -> None:
    lying = tiny_tflite(WEIGHTS, BIAS, (-1, -1, -1))
    with (
        open_backend(lying, "tflite", name="tones") as backend,
        pytest.raises(BackendError, match="TFLite failed to run tones"),
    ):
        backend.infer({INPUT: np.zeros((1, 7, 3), dtype=np.float32)})


def test_shape_that_tflite_refuses_is_refused_with_the_same_reason_again() -> None:
    """Between two inferences of one shape, the second of which needs what the refused one has changed."""
    with open_backend(tiny_tflite(WEIGHTS, BIAS, (1, -1, 5)), "tflite") as backend:
        np.testing.assert_allclose(backend.infer({INPUT: TENSOR})[OUTPUT], by_hand(TENSOR), atol=1e-6)
        reasons = []
        for _ in range(2):
            with pytest.raises(BackendError) as caught:
                backend.infer({INPUT: np.zeros((1, 7, 5), dtype=np.float32)})
            reasons.append("failed to prepare" in str(caught.value))
        assert reasons == [True, True]
        np.testing.assert_allclose(backend.infer({INPUT: TENSOR})[OUTPUT], by_hand(TENSOR), atol=1e-6)


def test_every_error_of_onnxruntime_is_known() -> None:
    engine = importlib.import_module("onnxruntime")
    known = onnx_module._error_types(engine)
    assert {"Fail", "InvalidArgument", "InvalidGraph"} <= {kind.__name__ for kind in known}


# --- models as others made them ---


def test_models_of_others_are_taken_as_they_are(shared_data: Path) -> None:
    """YAMNet in float32, and a MobileNet whose ends are uint8."""
    for name, n_outputs in (
        ("models/yamnet/yamnet_spectra_in.tflite", 521),
        ("models/coral/tf2_mobilenet_v2_1.0_224_ptq.tflite", 1001),
    ):
        with open_backend((shared_data / name).read_bytes(), "tflite", threads=2) as backend:
            (spec,) = backend.inputs
            assert spec.dtype == "float32"
            shape = tuple(extent or 1 for extent in spec.shape)
            (answer,) = backend.infer({spec.name: np.zeros(shape, dtype=np.float32)}).values()
            assert answer.dtype == np.float32
            assert answer.shape == (1, n_outputs)

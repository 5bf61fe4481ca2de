"""What our code allocates for one inference, beside the arrays that are given to the caller."""

from __future__ import annotations

import tracemalloc
from statistics import median_high

import numpy as np
import pytest
from tiny_models import INPUT, tiny_int8_tflite, tiny_onnx, tiny_tflite

from edge_sdk.contract.values import Float32Array
from edge_sdk.inference.backend import Backend
from edge_sdk.inference.open import open_backend

LARGE = 50_000
FEW = 2_000
"""Bytes: a mapping or two, and what NumPy needs for a look at an array."""


def most_at_once(backend: Backend, value: Float32Array) -> int:
    """The largest number of bytes that Python and NumPy hold during an inference, above what was before.

    Of several inferences the median: what another thread takes meanwhile is counted too.
    """
    tensors = {INPUT: value}
    for _ in range(3):
        backend.infer(tensors)
    tracemalloc.start()
    try:
        backend.infer(tensors)
        return median_high(_most_in_one(backend, tensors) for _ in range(9))
    finally:
        tracemalloc.stop()


def _most_in_one(backend: Backend, tensors: dict[str, Float32Array]) -> int:
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    answers = backend.infer(tensors)
    most = tracemalloc.get_traced_memory()[1]
    assert answers
    return most - before


def model(kind: str, n_features: int, n_labels: int) -> bytes:
    weights, bias = np.full((n_labels, n_features), 1e-4, np.float32), np.zeros(n_labels, np.float32)
    shape = (1, n_features)
    if kind == "int8":
        return tiny_int8_tflite(weights, bias, shape, largest=1.0)
    return tiny_onnx(weights, bias, shape) if kind == "onnx" else tiny_tflite(weights, bias, shape)


@pytest.mark.parametrize("kind", ["onnx", "tflite", "int8"])
def test_a_large_input_is_not_copied_into_new_memory(kind: str) -> None:
    content = model(kind, n_features=LARGE, n_labels=2)
    with open_backend(content, "onnx" if kind == "onnx" else "tflite") as backend:
        assert most_at_once(backend, np.zeros((1, LARGE), np.float32)) < FEW


def test_a_large_quantized_output_goes_into_memory_that_is_kept() -> None:
    with open_backend(model("int8", n_features=4, n_labels=LARGE), "tflite") as backend:
        value = np.zeros((1, 4), np.float32)
        given = backend.infer({INPUT: value})["scores"]
        assert given.dtype == np.float32
        assert given.shape == (1, LARGE)
        # The interpreter's own array, a byte for each number, is new each time.
        assert most_at_once(backend, value) < given.nbytes // 4 + given.nbytes // 16 + FEW

"""One small model on every engine, and its answers computed by hand."""

from __future__ import annotations

import numpy as np
from tiny_models import tiny_onnx, tiny_tflite

from edge_sdk.contract.manifest import ModelFormat
from edge_sdk.contract.values import Array, Float32Array
from edge_sdk.inference.backend import Backend
from edge_sdk.inference.open import open_backend

__all__ = ["BIAS", "FEATURES", "MODELS", "SHAPE", "TENSOR", "WEIGHTS", "by_hand", "opened"]

FEATURES = (8, 5)
SHAPE = (1, *FEATURES)
WEIGHTS: Float32Array = np.random.default_rng(1).normal(scale=0.1, size=(3, 40)).astype(np.float32)
BIAS: Float32Array = np.array([0.1, -0.2, 0.0], dtype=np.float32)
TENSOR: Float32Array = np.random.default_rng(2).uniform(-3, 3, size=SHAPE).astype(np.float32)
MODELS: dict[str, tuple[ModelFormat, bytes]] = {
    "tflite": ("tflite", tiny_tflite(WEIGHTS, BIAS, SHAPE)),
    "onnx": ("onnx", tiny_onnx(WEIGHTS, BIAS, SHAPE)),
}


def opened(name: str, *, reference_kernels: bool = False, threads: int = 1) -> Backend:
    """The model on one engine: ``tflite`` or ``onnx``."""
    model_format, model = MODELS[name]
    return open_backend(
        model, model_format, reference_kernels=reference_kernels, threads=threads, name="tones"
    )


def by_hand(tensor: Array) -> Array:
    """The scores that the model should give, in float64."""
    logits = tensor.reshape(-1, 40).astype(np.float64) @ WEIGHTS.T + BIAS
    return np.asarray(1 / (1 + np.exp(-logits)))

"""A model that knows three tones by their log-mel features."""

from __future__ import annotations

from tiny_bundle import LOG_MEL, WINDOW, tone_weights
from tiny_models import tiny_tflite

from edge_sdk.contract.audio import feature_shape
from edge_sdk.inference.backend import Backend
from edge_sdk.inference.open import open_backend

__all__ = ["FRAMES", "MELS", "tones_backend"]

FRAMES, MELS = feature_shape(LOG_MEL, WINDOW)


def tones_backend() -> Backend:
    """It takes log-mel features of one window."""
    weights, bias = tone_weights()
    return open_backend(tiny_tflite(weights, bias, (1, FRAMES, MELS)), "tflite")

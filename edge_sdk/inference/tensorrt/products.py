"""What NVIDIA's two products are called. Looked up wherever a model is opened, so it loads nothing."""

from __future__ import annotations

__all__ = ["PRODUCT_MODULES", "TENSORRT", "TENSORRT_RTX"]

TENSORRT = "TensorRT"
TENSORRT_RTX = "TensorRT-RTX"

# NVIDIA gives TensorRT-RTX's bindings one name in its archives and another one in its wheels.
PRODUCT_MODULES = {TENSORRT: ("tensorrt",), TENSORRT_RTX: ("tensorrt_rtx", "tensorrt_rtx_bindings")}
"""What each product is called in Python; the first of all comes with a Jetson."""

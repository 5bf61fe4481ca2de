"""What one model of a bundle is called, in messages and by whoever keeps something of it."""

from __future__ import annotations

from ..contract.manifest import Manifest, Variant

__all__ = ["model_name"]


def model_name(manifest: Manifest, variant: Variant) -> str:
    """``forest-sounds/onnx-int8``: the same one in the next version, and wherever the bundle lies."""
    return f"{manifest.name}/{variant.name}"

"""``manifest.json`` with all that can stand in it, sound and pictures alike.

Apart from :mod:`.manifest`: to define what describes pictures and detectors, and to build a reader of it,
takes a device longer than all the rest of its manifest. One that listens does without.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from msgspec import Meta

from .detector import DetectionOutput
from .image import ImageInput
from .manifest import AudioInput, ClassesOutput, Manifest

__all__ = ["Input", "ManifestDocument", "Output"]

Input: TypeAlias = AudioInput | ImageInput
Output: TypeAlias = ClassesOutput | DetectionOutput
"""What a model gives; ``decoder`` names the function of :mod:`edge_sdk.decode` that reads it."""

_ONE = Meta(min_length=1, max_length=1)


class ManifestDocument(Manifest, frozen=True, kw_only=True):
    """``manifest.json`` of a bundle. See the module and the design for each part."""

    inputs: Annotated[list[Input], _ONE]
    outputs: Annotated[list[Output], _ONE]

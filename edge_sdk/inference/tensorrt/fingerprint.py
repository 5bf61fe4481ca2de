"""What an engine was built of, by and for: it runs where all of that is the same."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
from msgspec import Struct

from .cuda import Gpu
from .library import Library

__all__ = ["Fingerprint", "fingerprint", "fingerprint_for"]

_SHOWN_DIGITS = 12
_MODEL = Path("/proc/device-tree/model")


class Fingerprint(Struct, frozen=True, kw_only=True):
    """The key of an engine in the cache.

    Attributes:
        onnx_sha256: Of the model.
        product: ``TensorRT`` or ``TensorRT-RTX``.
        version: Of it, in full.
        compute_capability: Of the GPU, like ``8.7``.
        board: The GPU's name, or a Jetson's; empty for TensorRT-RTX, whose engines hold for all GPUs of that
            capability.
        cuda: Of the driver; empty for TensorRT-RTX, which compiles its kernels where they run.
        precision, tf32, profile, dla: What this SDK always builds with, so that an engine of a release
            that did otherwise is another one.
    """

    onnx_sha256: str
    product: str
    version: str
    compute_capability: str
    board: str = ""
    cuda: str = ""
    precision: str = "of each layer as in the ONNX"
    tf32: bool = False
    profile: str = "batch of 1"
    dla: bool = False

    @property
    def key(self) -> str:
        """SHA-256 over all of it, in hex."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()

    @property
    def builder(self) -> Fingerprint:
        """The same without the model: what a timing cache holds for."""
        return msgspec.structs.replace(self, onnx_sha256="")

    def differences(self, here: Fingerprint) -> str:
        """What is not as it is here, for a message."""
        return ", ".join(
            f"{_WORDS.get(name, name)} {_shown(value)} (here: {_shown(getattr(here, name))})"
            for name in self.__struct_fields__
            if (value := getattr(self, name)) != getattr(here, name)
        )


_WORDS = {
    "onnx_sha256": "an ONNX file of SHA-256",
    "product": "the product",
    "version": "version",
    "compute_capability": "compute capability",
    "board": "the board",
    "cuda": "CUDA",
    "profile": "the profile",
}


def _shown(value: object) -> str:
    text = str(value) or "any"
    return f"{text[:_SHOWN_DIGITS]}..." if len(text) == 64 else text  # a digest


def fingerprint(model: bytes, library: Library, gpu: Gpu) -> Fingerprint:
    """What an engine of this model for this GPU goes by."""
    found = fingerprint_for(model, library, gpu.compute_capability)
    return found if library.is_rtx else msgspec.structs.replace(found, board=_board(gpu), cuda=gpu.cuda)


def fingerprint_for(model: bytes, library: Library, compute_capability: str) -> Fingerprint:
    """What an engine of this model for all GPUs of a compute capability goes by."""
    return Fingerprint(
        onnx_sha256=hashlib.sha256(model).hexdigest(),
        product=library.product,
        version=library.version,
        compute_capability=compute_capability,
    )


def _board(gpu: Gpu) -> str:
    """A Jetson's own name: the GPUs of an Orin Nano and of an AGX Orin are both called ``Orin``."""
    if gpu.integrated:
        try:
            return _MODEL.read_bytes().decode("utf-8", "replace").rstrip("\0")
        except OSError:  # a computer that is described in another way
            return gpu.name
    return gpu.name

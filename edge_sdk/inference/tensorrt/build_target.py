"""Which GPU an engine is built for, and by which library."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...errors import BackendError, EdgeSdkError, MissingExtraError, UsageError
from .build import check_target
from .cuda import Cuda, open_cuda
from .fingerprint import Fingerprint, fingerprint, fingerprint_for
from .library import Library, find_library
from .products import TENSORRT_RTX

__all__ = ["THIS", "BuildTarget", "find_target", "read_target"]

THIS = "this"


@dataclass(frozen=True)
class BuildTarget:
    """What to build for.

    Attributes:
        library: What builds.
        compute_capability: Of the GPU.
        cuda: Where the engine can be tried; None where the GPU is elsewhere.
    """

    library: Library
    compute_capability: str
    cuda: Cuda | None

    def fingerprint(self, model: bytes) -> Fingerprint:
        """What an engine of this model goes by."""
        if self.cuda is None:
            return fingerprint_for(model, self.library, self.compute_capability)
        return fingerprint(model, self.library, self.cuda.gpu)


def read_target(text: str) -> str:
    """``this``, or a compute capability in any spelling (``86``, ``8.6``, ``sm_86``) as ``8.6``.

    Raises:
        ValueError: It is neither.
    """
    if text == THIS:
        return text
    found = re.fullmatch(r"(?:sm_?)?(\d{1,2})\.?(\d)", text.lower())
    if found is None:
        raise ValueError(f"'{text}' is neither '{THIS}' nor a compute capability like 86")
    return f"{found[1]}.{found[2]}"


def find_target(wanted: str) -> BuildTarget:
    """Find what can build for that.

    Args:
        wanted: As :func:`read_target` gives it.

    Raises:
        MissingExtraError: What is needed is not installed.
        UsageError: Nothing here builds for that GPU.
        BackendError: There is no GPU here, and one was asked for.
    """
    if wanted == THIS:
        library = find_library()
        cuda = _cuda_here(library)
        if library.is_rtx:
            check_target(library, cuda.gpu.compute_capability, here=True)
        return BuildTarget(library, cuda.gpu.compute_capability, cuda)
    if _capability_here() == wanted:
        return find_target(THIS)
    try:
        library = find_library(TENSORRT_RTX)
    except MissingExtraError as error:
        raise UsageError(
            f"nothing here builds for compute capability {wanted}: TensorRT builds on that GPU itself, and "
            "TensorRT-RTX is not installed",
            hint=f"run `edge-sdk build BUNDLE` there; for an RTX card, {error.hint}",
        ) from error
    check_target(library, wanted, here=False)
    return BuildTarget(library, wanted, None)


def _capability_here() -> str | None:
    try:
        return open_cuda().gpu.compute_capability
    except EdgeSdkError:  # no GPU here: nothing is needed of it
        return None


def _cuda_here(library: Library) -> Cuda:
    try:
        return open_cuda()
    except BackendError as error:
        if not library.is_rtx:
            raise
        others = f"For RTX cards elsewhere, {TENSORRT_RTX} needs no GPU: --for 86 is compute capability 8.6"
        hint = f"{error.hint}. {others}"
        raise BackendError(error.message, hint=hint) from error

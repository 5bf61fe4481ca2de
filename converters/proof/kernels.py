"""Which kernels judge a variant, and which others a healthy device may have.

A variant is judged by what its file says. ONNX Runtime's fast kernels for integers saturate on
processors without VNNI, and for float16 it has none on a CPU: it computes in float32. So quantized ONNX is
judged without optimizations, float16 by its rounded twin (:mod:`..variants.onnx_float16`), and what the
fast kernels make of them here is told beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from edge_sdk.contract.manifest import ModelFormat
from edge_sdk.inference.backend import Backend
from edge_sdk.inference.open import open_backend
from edge_sdk.inference.options import AS_ON_EVERY_COMPUTER, EngineOptions, OnnxOptions

from ..quiet import quiet_libraries
from ..variants.made import Made
from ..variants.onnx_graph import is_quantized
from .integer_probe import integer_kernels_saturate

__all__ = ["KernelSet", "Kernels", "saturates_here"]

_REFERENCE: dict[ModelFormat, str] = {
    "tflite": "TFLite's kernels without XNNPACK",
    "onnx": "ONNX Runtime's kernels without optimizations",
}
_DEFAULT: dict[ModelFormat, str] = {
    "tflite": "TFLite's kernels with XNNPACK",
    "onnx": "ONNX Runtime's default kernels",
}
_IN_FLOAT = EngineOptions(onnx=OnnxOptions(providers=["cpu"], integer_kernels=False))


@dataclass(frozen=True)
class KernelSet:
    """One way to run a variant.

    Attributes:
        name: What to call it in messages.
        content: The file, or what stands in for it.
        format: Of that.
        reference: Whether by reference kernels.
        threads: Of one inference.
        options: How its library works.
    """

    name: str
    content: bytes
    format: ModelFormat
    reference: bool
    threads: int
    options: EngineOptions = AS_ON_EVERY_COMPUTER

    def open(self, name: str) -> Backend:
        """Load it.

        Args:
            name: What to call the variant.

        Raises:
            BackendError: It cannot be loaded.
        """
        with quiet_libraries():
            return open_backend(
                self.content,
                self.format,
                threads=self.threads,
                reference_kernels=self.reference,
                name=name,
                options=self.options,
            )


class Kernels:
    """What runs one variant.

    Args:
        made: The variant.
        model_format: Of its file.
    """

    def __init__(self, made: Made, model_format: ModelFormat) -> None:
        self._made = made
        self._format = model_format
        self.is_quantized_onnx = model_format == "onnx" and is_quantized(made.content)

    @property
    def judge_apart(self) -> bool:
        """Whether the variant is judged by others than those that run it on this processor."""
        return self.is_quantized_onnx or self._made.judged is not None

    def judging(self, threads: int) -> KernelSet:
        """Those that the evaluation set is judged with."""
        if self._made.judged is not None:
            return self._fast(self._made.judged, threads)
        if self.is_quantized_onnx:
            return KernelSet(
                _REFERENCE[self._format], self._made.content, self._format, reference=True, threads=threads
            )
        return self.default(threads)

    def default(self, threads: int) -> KernelSet:
        """Those that a device with this processor has, unless it is told otherwise."""
        return self._fast(self._made.content, threads)

    def healthy(self) -> Iterator[KernelSet]:
        """Those that are right, the reference first; what they differ by, a device may differ by."""
        content = self._made.judged or self._made.content
        yield KernelSet(_REFERENCE[self._format], content, self._format, reference=True, threads=1)
        if self.is_quantized_onnx:
            name = "kernels in float32"
            yield KernelSet(name, content, self._format, reference=False, threads=1, options=_IN_FLOAT)
        elif self.judge_apart:
            yield self.judging(1)
        if not (self.is_quantized_onnx and saturates_here()):
            yield self.default(1)
            yield self.default(2)

    def _fast(self, content: bytes, threads: int) -> KernelSet:
        name = _DEFAULT[self._format] if content is self._made.content else "the kernels of its rounded twin"
        return KernelSet(name, content, self._format, reference=False, threads=threads)


@cache
def saturates_here() -> bool:
    """Whether this processor's integer kernels saturate; asked once."""
    return integer_kernels_saturate()

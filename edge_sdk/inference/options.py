"""How each library shall run a model: what a configuration may say of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

__all__ = [
    "AS_ON_EVERY_COMPUTER",
    "AS_SUITS_THIS_DEVICE",
    "BackendName",
    "EngineOptions",
    "OnnxOptions",
    "ProviderName",
    "TensorRtOptions",
    "refuse_doubles",
]

BackendName: TypeAlias = Literal["tflite", "onnx", "tensorrt"]
"""What runs a model file: LiteRT, ONNX Runtime, or TensorRT with an engine that was built of it."""

ProviderName: TypeAlias = Literal["cpu", "cuda", "tensorrt", "openvino", "xnnpack", "coreml"]
"""What ONNX Runtime calls an execution provider, without the words that all of them end in."""


def refuse_doubles(what: str, names: Sequence[str] | None) -> None:
    """Refuse a name that is there twice: who wrote it meant another one.

    Args:
        what: The key that holds them.
        names: In the order in which they were written.

    Raises:
        ValueError: One is there twice.
    """
    for place, name in enumerate(names or ()):
        if name in (names or ())[:place]:
            raise ValueError(f"{what} names '{name}' twice")


class OnnxOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How ONNX Runtime works.

    Attributes:
        providers: Its execution providers, the one to ask first in front; each takes the operators that it
            knows and leaves the others to the next. By default CUDA where ONNX Runtime is built with it and
            a GPU is there, then the CPU.
        spinning: Let idle threads wait in a loop: an inference of several threads is faster by the time that
            it takes to wake them, and the processor is busy between inferences.
        memory_arena: Keep the memory of an inference for the next one.
        memory_pattern: Plan the memory of an inference ahead, as one block.
        shrink_arena: Give memory that the arena has grown by back after each inference.
        integer_kernels: Compute quantized models in integers. Without, they are computed in float32 and
            rounded where the model says, as GPUs and reference kernels have it: exact also on processors
            whose int8 instructions saturate (x86 without VNNI).
        tf32: On CUDA, let float32 products round their factors to 10 bits.
    """

    providers: list[ProviderName] | None = None
    spinning: bool = False
    memory_arena: bool = True
    memory_pattern: bool = True
    shrink_arena: bool = False
    integer_kernels: bool = True
    tf32: bool = False

    def __post_init__(self) -> None:
        if self.providers == []:
            raise ValueError("providers must name one at least, or be left out")
        refuse_doubles("providers", self.providers)
        if self.shrink_arena and not self.memory_arena:
            raise ValueError("shrink_arena needs memory_arena: there is nothing to shrink without it")


class TensorRtOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How TensorRT works.

    Attributes:
        cache: Folder of engines, where ``edge-sdk build`` has put them; by default the user's.
        cuda_graph: Start all of a model's kernels at once, where its shapes are fixed.
        mapped_memory: Let a GPU that shares the computer's memory read and write there, instead of copying.
    """

    cache: str | None = None
    cuda_graph: bool = True
    mapped_memory: bool = False


class EngineOptions(Struct, frozen=True, kw_only=True):
    """How a model is run, whatever runs it.

    Attributes:
        threads: Threads that one inference may use, where the processor runs it.
    """

    threads: int = 1
    onnx: OnnxOptions = OnnxOptions()
    tensorrt: TensorRtOptions = TensorRtOptions()


AS_SUITS_THIS_DEVICE = EngineOptions()
"""With what is here: a GPU, where ONNX Runtime has CUDA."""

AS_ON_EVERY_COMPUTER = EngineOptions(onnx=OnnxOptions(providers=["cpu"]))
"""On the CPU: what a converter proves with."""

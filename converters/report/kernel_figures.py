"""What a variant answers by the kernels that this processor has for it, where others judged it."""

from __future__ import annotations

from msgspec import Struct

__all__ = ["KernelFigures", "describe_kernels"]


class KernelFigures(Struct, frozen=True, kw_only=True):
    """A variant as ONNX Runtime runs it here unless it is told otherwise.

    What judged it is ONNX Runtime without optimizations, or, for float16, the model with each value
    rounded as a GPU would: what the file says, and not what one processor makes of it.

    Attributes:
        drop, agreement, max_abs_difference: Against the float source, on the evaluation set.
        golden_difference: To the expected answers of the golden samples, at most.
        verified: Whether ``edge-sdk verify`` lets these kernels pass.
        saturates: Whether this processor's integer instructions cut off sums, which no other should.
    """

    drop: float
    agreement: float
    max_abs_difference: float
    golden_difference: float
    verified: bool
    saturates: bool = False


def describe_kernels(figures: KernelFigures) -> str:
    """One line for people."""
    told = (
        f"by ONNX Runtime's default kernels on this processor: drop {figures.drop:+.4f}, agreement "
        f"{figures.agreement:.4f}, golden samples off by {figures.golden_difference:.1e} at most"
    )
    if figures.saturates:
        told += "; its int8 instructions saturate ([onnx] integer_kernels = false avoids them)"
    return (
        told if figures.verified else f"{told}; that is beyond the bound: `edge-sdk verify` refuses it here"
    )

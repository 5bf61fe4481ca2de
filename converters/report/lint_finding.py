"""What is found in the structure of an ONNX model, and the words for it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from msgspec import Struct

__all__ = ["RULES", "LintFinding", "describe_findings"]

RULES = {
    "opset-old": "scales by channel came with operator set 13",
    "opset-new": "TensorRT 8.6 reads operator sets up to 17",
    "integer-operator": "TensorRT has no such operator: it takes QuantizeLinear and DequantizeLinear alone",
    "zero-point": "TensorRT takes no zero point but 0",
    "unsigned": "TensorRT's int8 is signed: values beyond 127 are cut off",
    "element-type": "TensorRT dequantizes int8, int4 and float8: a bias stays in float",
    "scale": "scales must be constants above 0",
    "lone-quantize": "what it gives is not dequantized: it belongs into a pair",
    "lone-dequantize": "what it takes was not quantized: it belongs into a pair",
    "pair-scales": "the two of a pair have different scales",
    "half-quantized": "the layer is computed in float: both its input and its weights must come from a pair",
    "per-tensor-weight": "weights have one scale for all channels, which is too coarse for most layers",
    "weight-axis": "weights have scales along another axis than that of the output channels",
    "int8-weight": "weights are int8 in the file; TensorRT before 10 quantizes them itself, from float32",
    "by-channel-input": "an activation has scales by channel; TensorRT takes one for the whole tensor",
    "residual-float": "a sum between int8 layers has a float side: it is computed in float, and so is what "
    "it could be fused with",
    "misplaced": "TensorRT computes it in float: the pair before it only costs accuracy",
}
"""What each finding means for TensorRT."""

_MOST_NAMED = 3


class LintFinding(Struct, frozen=True, kw_only=True):
    """One thing that TensorRT will not take, or not as it was meant.

    Attributes:
        rule: A key of :data:`RULES`.
        operator, node: Where; empty where it is of the whole model.
        what: What is there.
    """

    rule: str
    operator: str = ""
    node: str = ""
    what: str = ""

    def __str__(self) -> str:
        where = f"{self.operator} '{self.node}'" if self.operator else ""
        return ": ".join(part for part in (where, self.what) if part)


def describe_findings(findings: Sequence[LintFinding]) -> list[str]:
    """One line a rule: what it means, and where; of many places the first three."""
    lines = []
    for rule, group in groupby(sorted(findings, key=lambda finding: list(RULES).index(finding.rule)), _rule):
        found = list(group)
        named = "; ".join(str(finding) for finding in found[:_MOST_NAMED])
        more = f"; and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
        lines.append(f"{rule}: {named}{more} ({RULES[rule]})")
    return lines


def _rule(finding: LintFinding) -> str:
    return finding.rule

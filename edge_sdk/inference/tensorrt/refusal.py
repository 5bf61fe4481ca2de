"""What TensorRT refuses of a model, and what can be done about it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from ...contract.variant import BuildRefusal

__all__ = ["Refusal", "builder_refusal", "parser_refusal", "refusal_hint"]

_NO_PLUGIN = "its plugin does not start here"
_PAIRS = {"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"}


class Refusal(Struct, frozen=True):
    """One thing that TensorRT refuses.

    Attributes:
        operator: Of the ONNX node; empty where TensorRT does not tell.
        node: Its name, or ``node N`` where TensorRT tells only its place; empty where neither.
        reason: In TensorRT's words.
    """

    operator: str
    node: str
    reason: str

    def __str__(self) -> str:
        where = f"{self.operator or 'node'} '{self.node}'" if self.node else self.operator
        return f"{where}: {self.reason}" if where else self.reason


def parser_refusal(error: Any, told: str) -> Refusal:
    """What the parser refuses.

    Args:
        error: TensorRT's ``ParserError``.
        told: What its log said meanwhile.
    """
    reason = re.sub(r"\s+", " ", error.desc()).strip()
    if reason in {"", "false"}:  # what became of a condition in its source; the code says more
        reason = error.code().name.replace("_", " ").lower()
    cuda = re.search(r"Cuda Error in \w+: (\d+) \(([^)]*)\)", told)
    if cuda is not None and "plugin" in reason:
        # It says that the plugin "was not found", though it is there: it asks for a GPU when it is made.
        reason = f"{_NO_PLUGIN}: CUDA error {cuda[1]}, {cuda[2]}"
    if hasattr(error, "node_operator"):
        return Refusal(error.node_operator() or "", error.node_name() or "", reason)
    place = error.node()  # 8.6 tells no name, and the operator only in its log
    operator = re.search(rf"parsing node number {place} \[(\w+)", told)
    return Refusal(operator[1] if operator else "", f"node {place}" if place >= 0 else "", reason)


def builder_refusal(network: Any, told: str) -> Refusal:
    """What the builder refuses, with the node where its log names the layer that was made of it.

    Args:
        network: TensorRT's ``INetworkDefinition``.
        told: What the log said.
    """
    layer_name = re.search(r"(\S+) has no runners that implement it", told)
    if layer_name is None:
        return Refusal("", "", told)
    layers = (network.get_layer(index) for index in range(network.num_layers))
    made_of = next((layer for layer in layers if layer.name == layer_name[1]), None)
    # A layer's name has a number behind it where several are made of one node.
    node = re.search(r"\[ONNX Layer: (.+?)\]", str(getattr(made_of, "metadata", "")))
    return Refusal("", node[1] if node else layer_name[1], told)


def refusal_hint(refusals: Sequence[Refusal | BuildRefusal]) -> str:
    """What to do where these are why a model is refused."""
    runs = "ONNX Runtime runs it all the same"
    if any(refusal.reason.startswith(_NO_PLUGIN) for refusal in refusals):
        return f"{runs}; such a plugin asks for a GPU, so only `edge-sdk build` on the device can tell"
    if any(refusal.operator in _PAIRS for refusal in refusals):
        return f"{runs}; for TensorRT convert the float model, of which onnx-int8 is made as it takes it"
    named = dict.fromkeys(
        refusal.operator or refusal.node for refusal in refusals if refusal.operator != "input"
    )
    names = ", ".join(filter(None, named))
    return f"{runs}; for TensorRT export the model without {names}" if names else runs

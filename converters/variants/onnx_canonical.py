"""The same ONNX graph as the same bytes.

tf2onnx numbers names by a counter of the process and walks Python sets, so that order and names
differ from run to run. Here nodes are ordered depth-first from the outputs, which only the graph's
structure decides, and all inner names follow from that order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

__all__ = ["canonical_onnx"]


def canonical_onnx(model: Any, input_name: str, output_names: Sequence[str]) -> bytes:
    """Order and name a model of one input canonically.

    Args:
        model: ``onnx.ModelProto``; changed in place.
        input_name: What its input shall be called.
        output_names: What its outputs shall be called, in their order.
    """
    graph = model.graph
    nodes = _in_order(graph)
    for node in graph.node:
        node.name = ""  # keeps it only where it gets one now
    names = {graph.input[0].name: input_name}
    names |= {value.name: name for value, name in zip(graph.output, output_names, strict=True)}
    initializers = {tensor.name: tensor for tensor in graph.initializer}
    used: list[str] = []
    for number, node in enumerate(nodes):
        node.name = f"{node.op_type}_{number}"
        for name in _taken(node):
            if name in initializers and name not in names:
                names[name] = f"constant_{len(used)}"
                used.append(name)
        for position, name in enumerate(node.output):
            names.setdefault(name, f"{node.name}_{position}")
    _keep(graph.node, [node.name for node in nodes])
    _keep(graph.initializer, used)
    _rename(graph, names)
    graph.name = "model"
    for text in ("doc_string", "value_info", "metadata_props"):
        graph.ClearField(text)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _in_order(graph: Any) -> list[Any]:
    """Nodes that the outputs need, each after those it needs, by an explicit depth-first walk."""
    made_by = {name: node for node in graph.node for name in node.output if name}
    ordered: list[Any] = []
    done: set[str] = set()
    open_names = [(value.name, False) for value in reversed(graph.output)]
    while open_names:
        name, inputs_done = open_names.pop()
        node = made_by.get(name)
        if node is None or node.output[0] in done:
            continue
        if inputs_done:
            done.add(node.output[0])
            ordered.append(node)
        else:
            open_names.append((name, True))
            open_names.extend((taken, False) for taken in reversed(list(_taken(node))))
    return ordered


def _taken(node: Any) -> Iterator[str]:
    """What a node reads, also from inside its branches and loop bodies."""
    yield from node.input
    for attribute in sorted(node.attribute, key=lambda item: item.name):
        for inner in attribute.g.node:
            yield from _taken(inner)


def _keep(field: Any, names: Sequence[str]) -> None:
    """Keep the members of these names, in this order; moved, for weights are large."""
    places = {name: place for place, name in enumerate(names)}
    for index in reversed([index for index, item in enumerate(field) if item.name not in places]):
        del field[index]
    field.sort(key=lambda item: places[item.name])


def _rename(graph: Any, names: dict[str, str]) -> None:
    """Rename the tensors of this graph wherever they appear, also inside branches and loop bodies."""
    for value in (*graph.input, *graph.output, *graph.initializer):
        value.name = names.get(value.name, value.name)
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _rename(attribute.g, names)
        node.attribute.sort(key=lambda item: item.name)

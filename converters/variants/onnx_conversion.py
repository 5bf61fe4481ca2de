"""From a TensorFlow function to ``.onnx`` bytes, by tf2onnx.

Its own entry points copy the graph with all weights at every step. So its steps are called here one by
one, and large weights are given to the one that needs them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from edge_sdk.errors import ConversionError, MissingExtraError

from ..quiet import import_tensorflow, quiet_libraries
from ..sources.flat_graph import FlatGraph
from ..sources.source_model import TracedModel
from .onnx_canonical import canonical_onnx
from .onnx_opset import OPSET

__all__ = ["check_complete", "convert_onnx"]

_REFUSALS = (ValueError, RuntimeError, KeyError, TypeError)


def convert_onnx(traced: TracedModel) -> bytes:
    """The flat graph of a function as an ONNX model in float32.

    Raises:
        MissingExtraError: tf2onnx is not installed.
        ConversionError: It refuses the model.
    """
    tensorflow = import_tensorflow()
    with quiet_libraries():
        try:
            model = _translate(traced.flat)
        except ImportError as error:
            raise MissingExtraError("tf2onnx", "convert") from error
        except (tensorflow.errors.OpError, *_REFUSALS) as error:
            raise ConversionError(f"tf2onnx refuses the model: {error}") from error
    check_complete(model)
    return canonical_onnx(model, traced.input.name, [spec.name for spec in traced.outputs])


def check_complete(model: Any) -> None:
    """Refuse what tf2onnx left as it was, because it could not translate it.

    Raises:
        ConversionError: Names the operations.
    """
    from onnx import defs

    foreign = sorted({node.op_type for node in model.graph.node if not defs.has(node.op_type, node.domain)})
    if foreign:
        raise ConversionError(f"ONNX has no counterpart for TensorFlow's {', '.join(foreign)}")


def _translate(flat: FlatGraph) -> Any:
    """The ``onnx.ModelProto``."""
    simplified = _with_empty_constants(_simplified(flat), flat.large_weights)
    try:
        return _optimised(_mapped(simplified, flat), catch_errors=False)
    except (*_REFUSALS, IndexError, AttributeError):
        # An optimizer trips over this graph. tf2onnx then goes on without it, at the price of a copy
        # of the whole graph before each.
        return _optimised(_mapped(simplified, flat), catch_errors=True)


def _simplified(flat: FlatGraph) -> Any:
    """The graph after TensorFlow's own optimizer; it does not see the values of large weights."""
    from tf2onnx import tf_loader

    with import_tensorflow().Graph().as_default():
        import_tensorflow().import_graph_def(flat.definition, name="")
        return tf_loader.tf_optimize([flat.input], list(flat.outputs), flat.definition)


def _with_empty_constants(definition: Any, large_weights: Mapping[str, Any]) -> Any:
    """Changed in place: constants without content, for placeholders that stand for large weights."""
    for node in definition.node:
        if node.name not in large_weights:
            continue
        name, dtype, shape = node.name, node.attr["dtype"].type, node.attr["shape"].shape
        constant = type(node)(name=name, op="Const")
        constant.attr["dtype"].type = dtype
        constant.attr["value"].tensor.dtype = dtype
        constant.attr["value"].tensor.tensor_shape.CopyFrom(shape)
        node.CopyFrom(constant)
    return definition


def _mapped(definition: Any, flat: FlatGraph) -> Any:
    """tf2onnx's graph, translated and not yet optimised."""
    from tf2onnx.tfonnx import process_tf_graph

    tensorflow = import_tensorflow()
    contents = _Contents(flat.large_weights)
    with tensorflow.Graph().as_default() as graph:
        tensorflow.import_graph_def(definition, name="")
        return process_tf_graph(
            graph,
            continue_on_error=True,  # what cannot be translated is named by check_complete
            opset=OPSET,
            input_names=[flat.input],
            output_names=list(flat.outputs),
            const_node_values=contents,
        )


def _optimised(graph: Any, *, catch_errors: bool) -> Any:
    """The ``onnx.ModelProto`` of tf2onnx's graph."""
    from tf2onnx import optimizer

    # After each optimizer every node would be written anew, constants too, and protobuf keeps all
    # that was ever written into a message. Only what is written last is read.
    graph.update_proto = _write_later
    optimised = optimizer.optimize_graph(graph, catch_errors)
    del optimised.update_proto
    return optimised.make_model("model")


def _write_later(external_tensor_storage: Any = None) -> None:
    """In the place of ``tf2onnx.graph.Graph.update_proto``."""


class _Contents(Mapping[str, bytes]):
    """The values of large weights as TensorFlow writes them, made when they are asked for."""

    def __init__(self, weights: Mapping[str, Any]) -> None:
        # Not copied by this; and later, inside a tf.Graph, variables could not be read.
        self._weights = {name: weight.value() for name, weight in weights.items()}

    def __getitem__(self, name: str) -> bytes:
        return np.asarray(self._weights[name]).tobytes()

    def __iter__(self) -> Iterator[str]:
        return iter(self._weights)

    def __len__(self) -> int:
        return len(self._weights)

"""Values that are not finite are the worst error there is, not none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx_nets import INPUT, SHAPE, pictures

from converters.variants.output_error import HeldOutError, OutputError, relative_error
from edge_sdk.errors import ConversionError

NOT_FINITE = (math.nan, math.inf, -math.inf)


def two_outputs(second: str) -> bytes:
    """What is given, and after it what one operator makes of it."""
    nodes = [helper.make_node("Identity", [INPUT], ["same"]), helper.make_node(second, [INPUT], ["other"])]
    made, *given = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, SHAPE) for name in (INPUT, "same", "other")
    )
    graph = helper.make_graph(nodes, "two", [made], given)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    content: bytes = model.SerializeToString()
    return content


@pytest.mark.parametrize("value", NOT_FINITE)
def test_what_is_given_and_not_finite_is_off_without_end(value: float) -> None:
    wanted = np.ones(3, dtype=np.float32)
    assert relative_error(wanted, np.array([1, value, 1], dtype=np.float32)) == math.inf


@pytest.mark.parametrize("value", NOT_FINITE)
def test_nothing_is_held_against_what_is_not_finite_itself(value: float) -> None:
    wanted = np.array([1, value, 1], dtype=np.float32)
    with pytest.raises(ConversionError, match="not finite"):
        relative_error(wanted, wanted)


def test_an_output_after_a_good_one_counts_where_it_is_no_number() -> None:
    samples = pictures(2)  # of both signs, so that logarithms are none
    errors = OutputError(two_outputs("Abs"), "onnx", samples, "net")
    assert errors.of(two_outputs("Abs")) == 0.0
    assert errors.of(two_outputs("Log")) == math.inf


def test_one_half_of_no_numbers_is_the_error_of_both() -> None:
    errors = HeldOutError(two_outputs("Abs"), "onnx", [pictures(1), pictures(1)], "net")
    assert errors.of([two_outputs("Abs"), two_outputs("Log")]) == math.inf

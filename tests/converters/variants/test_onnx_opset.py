"""Every kind of model becomes ONNX whose operators all are of the chosen operator set, or older."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import onnx
import pytest
from onnx import defs

from converters.sources.open_source import open_source
from converters.variants.onnx_conversion import convert_onnx
from converters.variants.onnx_lint import lint_onnx
from converters.variants.onnx_opset import OPSET, opset_of
from edge_sdk.contract.values import TensorSpec


class Models(Protocol):
    """What these tests take from the ``workplace`` fixture."""

    model: Path
    waveform_model: Path


def batch_of_1(spec: TensorSpec) -> tuple[int, ...]:
    return tuple(extent or 1 for extent in spec.shape)


@pytest.mark.parametrize("which", ["model", "waveform_model"])
def test_tensorrt_8_6_knows_every_operator_in_the_version_that_is_used(workplace: Models, which: str) -> None:
    path: Path = getattr(workplace, which)
    with open_source((path,), output_name="scores", fit_input=batch_of_1) as source:
        assert source.traced is not None
        content = convert_onnx(source.traced)
    model = onnx.load_from_string(content)
    assert opset_of(model) == OPSET == 17
    newest = {
        node.op_type: defs.get_schema(node.op_type, OPSET, "").since_version for node in model.graph.node
    }
    assert max(newest.values()) <= OPSET
    onnx.checker.check_model(model, full_check=True)  # each node is written as its version there wants it
    assert lint_onnx(content) == []

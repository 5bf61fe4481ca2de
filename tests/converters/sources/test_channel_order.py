"""Which mean a model takes out of which channel, where it turns or leaves out some itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from scaling_models import SIDE, keras_source

from converters.quiet import import_tensorflow
from converters.sources.input_scaling import own_scaling
from converters.sources.open_source import open_source
from converters.sources.source_model import SourceModel
from converters.variants.tflite_conversion import convert_float32


def test_onnx_that_turns_its_channels_takes_each_mean_from_its_own(tmp_path: Path) -> None:
    """As PyTorch exports a flip: a slice backwards, or a gather."""
    turns = [
        helper.make_node("Slice", ["picture", "first", "end", "axis", "back"], ["turned"]),
        helper.make_node("Gather", ["picture", "back_to_front"], ["turned"], axis=3),
    ]
    constants = {"first": [2], "end": [-9], "axis": [3], "back": [-1], "back_to_front": [2, 1, 0]}
    for number, turn in enumerate(turns):
        own = own_scaling(centred_onnx(tmp_path / f"{number}.onnx", [turn], constants), 3)
        assert own is not None
        np.testing.assert_allclose(own.offset, [-124, -117, -103])


def centred_onnx(
    path: Path, before: Sequence[Any], constants: Mapping[str, Sequence[int]], opset: int = 17
) -> SourceModel:
    """An ONNX model that makes ``turned`` of its input, channels last, and takes a mean out of it."""
    nodes = [*before, helper.make_node("Sub", ["turned", "mean"], ["centred"])]
    nodes.append(helper.make_node("ReduceMean", ["centred"], ["scores"], axes=[1, 2], keepdims=0))
    numbers = [numpy_helper.from_array(np.array(value), name) for name, value in constants.items()]
    graph = helper.make_graph(
        nodes,
        "turned",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, (1, SIDE, SIDE, 3))],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, None)],
        [*numbers, numpy_helper.from_array(np.array([103.0, 117.0, 124.0], dtype=np.float32), "mean")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
    onnx.save(model, path)
    with open_source((path,), fit_input=lambda _: (1, SIDE, SIDE, 3)) as source:
        return source


def test_old_onnx_that_takes_its_channels_apart_is_read(tmp_path: Path) -> None:
    """Up to opset 9 a slice has attributes, no inputs."""
    cut = [
        helper.make_node("Slice", ["picture"], [f"c{n}"], axes=[-1], starts=[n], ends=[n + 1])
        for n in range(3)
    ]
    turned = helper.make_node("Concat", ["c2", "c1", "c0"], ["turned"], axis=3)
    own = own_scaling(centred_onnx(tmp_path / "a.onnx", [*cut, turned], {}, opset=9), 3)
    assert own is not None
    np.testing.assert_allclose(own.offset, [-124, -117, -103])


def test_a_mirrored_picture_keeps_the_order_of_its_channels(tmp_path: Path) -> None:
    constants = {"first": [-1], "end": [-9], "axis": [2], "back": [-1]}
    mirror = helper.make_node("Slice", ["picture", *constants], ["turned"])
    own = own_scaling(centred_onnx(tmp_path / "a.onnx", [mirror], constants), 3)
    assert own is not None
    np.testing.assert_allclose(own.offset, [-103, -117, -124])


def test_of_channels_that_are_left_out_nothing_is_said(tmp_path: Path) -> None:
    """Of red alone, and of a mean that is not of the input's three channels."""
    constants = {"first": [0], "end": [1], "axis": [3]}
    red = helper.make_node("Slice", ["picture", *constants], ["turned"])
    assert own_scaling(centred_onnx(tmp_path / "a.onnx", [red], constants), 3) is None


@pytest.mark.parametrize("form", ["keras", "tflite"])
@pytest.mark.parametrize(
    ("kind", "offset"),
    [
        ("mirrored", [-103, -117, -124]),
        ("turned and mirrored", [-124, -117, -103]),
        ("reversed", [-103, -117, -124]),
    ],
)
def test_which_axis_is_turned_is_seen_in_every_format(
    tmp_path: Path, kind: str, form: str, offset: list[int]
) -> None:
    import_tensorflow()
    import keras

    turns: dict[str, Any] = {
        "mirrored": lambda pixels: pixels[:, :, ::-1],
        "turned and mirrored": lambda pixels: pixels[..., ::-1, ::-1],
        "reversed": lambda pixels: keras.ops.flip(pixels, axis=1),
    }
    mean = np.array([103.0, 117.0, 124.0], dtype=np.float32)
    source = keras_source(tmp_path / "own.keras", turns[kind], lambda pixels: pixels - mean)
    if form == "tflite":
        assert source.traced is not None
        (tmp_path / "own.tflite").write_bytes(convert_float32(source.traced))
        with open_source((tmp_path / "own.tflite",), fit_input=lambda _: (1, SIDE, SIDE, 3)) as source:
            pass
    own = own_scaling(source, 3)
    assert own is not None
    np.testing.assert_allclose(own.offset, offset)

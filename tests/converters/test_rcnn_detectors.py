"""A two-stage detector that arrives as ONNX gets every treatment, and what cannot be built is named."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from conversions import convert_in, report_of
from rcnn_detector import RCNN_SPEC, rcnn_model, write_rcnn_pictures

from converters.preflight.preflight import Preflight, is_installed
from converters.variants.onnx_graph import OnnxGraph
from converters.variants.onnx_operations import read_onnx_operations
from edge_sdk.contract.bundle import Bundle
from edge_sdk.inference.golden import run_golden
from edge_sdk.inference.open import open_backend

MADE = ("onnx", "onnx-float16", "onnx-int8")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    place = tmp_path_factory.mktemp("rcnn")
    write_rcnn_pictures(place / "evaluation", 12, seed=1)
    (write_rcnn_pictures(place / "calibration", 8, seed=2) / "squares.json").unlink()  # boxes are not asked
    (place / "rcnn.onnx").write_bytes(rcnn_model())
    (place / "spec.toml").write_text(RCNN_SPEC)
    return convert_in(place, "rcnn.onnx", place / "rcnn.edge", calibration=place / "calibration")


def test_every_variant_finds_what_the_source_finds(bundle: Bundle) -> None:
    variants = {variant.name: variant for variant in bundle.manifest.variants}
    assert set(variants) == set(MADE)
    for name, variant in variants.items():
        assert (variant.metric.name, variant.metric.value, variant.drop) == ("map50", 1.0, 0.0)
        assert variant.agreement == 1.0
        with open_backend(bundle.read(variant.file), "onnx", reference_kernels=True) as backend:
            assert run_golden(bundle, name, backend).passed


def test_layers_that_give_boxes_stay_in_float_in_both_stages_and_that_is_said(bundle: Bundle) -> None:
    content = bundle.read("models/onnx-int8.onnx")
    layers = {item.name: item.is_float for item in read_onnx_operations(content) if item.is_layer}
    graph = OnnxGraph(onnx.load_from_string(content))
    (roi_align,) = (node for node in graph.nodes if node.op_type == "RoiAlign")
    proposing = {node.name for node in graph.layers_above(roi_align.input[1])}
    assert len(proposing) == 2  # where, and whether there is anything
    in_float = {name for name, is_float in layers.items() if is_float}
    assert (len(layers), len(in_float)) == (8, 4)
    assert proposing <= in_float
    (told,) = (item for item in report_of(bundle)["variants"] if item["name"] == "onnx-int8")
    assert told["note"].startswith("4 of 8 layers in float; weights are float32 in the file")
    assert len(told["float_layers"]) == 4


def test_no_coordinate_is_rounded_to_16_bits(bundle: Bundle) -> None:
    """Of 1,333 pixels, float16 tells steps of one apart."""
    model = onnx.load_from_string(bundle.read("models/onnx-float16.onnx"))
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
    kinds = {value.name: value.type.tensor_type.elem_type for value in inferred.graph.value_info}
    graph = OnnxGraph(inferred)
    (roi_align,) = (node for node in graph.nodes if node.op_type == "RoiAlign")
    between, open_names = set(), [roi_align.input[1]]
    while open_names:
        name = open_names.pop()
        node = graph.made_by.get(name)
        if node is None or graph.is_layer(node):
            continue
        between.add(node.op_type)
        assert node.op_type == "Cast" or kinds[name] != onnx.TensorProto.FLOAT16, node.name
        open_names.extend(node.input)
    assert {"Gather", "Clip", "Add", "Mul", "TopK", "NonMaxSuppression"} <= between
    halves = [node for node in graph.nodes if graph.is_layer(node) and kinds.get(node.output[0]) == 10]
    assert len(halves) == 8


@pytest.mark.skipif(not is_installed(), reason="TensorRT-RTX is not installed")
def test_the_operator_that_tensorrt_rtx_has_not_is_named(bundle: Bundle) -> None:
    for variant in bundle.manifest.variants:
        assert variant.build_check is not None
        assert [refusal.operator for refusal in variant.build_check.refusals] == ["RoiAlign"]
    assert "refuses it: RoiAlign" in bundle.read("report.html").decode()


@pytest.mark.skipif(not is_installed(), reason="TensorRT-RTX is not installed")
def test_a_suppression_that_parses_and_does_not_build_is_named() -> None:
    """Without its second stage the model gets through the parser."""
    with Preflight(120.0) as preflight:
        preflight.ask("first stage", rcnn_model(first_stage=True))
        found, failure = preflight.results()
    assert failure == ""
    assert not found["first stage"].passed
    refused = [(refusal.operator, refusal.node) for refusal in found["first stage"].refusals]
    assert refused == [("NonMaxSuppression", "rpn_nms")]


def test_the_source_truly_finds_the_squares() -> None:
    picture = np.zeros((1, 3, 64, 64), dtype=np.float32)
    picture[0, 0, 16:24, 40:48] = 1.0
    picture[0, 1, 0:8, 0:8] = 1.0
    with open_backend(rcnn_model(), "onnx") as backend:
        found = backend.infer({"picture": picture})
        assert sorted(found["labels"].tolist()) == [1, 2]
        red = found["labels"].tolist().index(1)
        np.testing.assert_allclose(found["boxes"][red], [40, 16, 48, 24], atol=0.5)
        nothing = backend.infer({"picture": np.zeros_like(picture)})
        assert nothing["boxes"].shape == (0, 4)

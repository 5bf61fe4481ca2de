"""What TensorRT refuses is told with its node and its true cause, and with what can be done.

The log lines are those of TensorRT-RTX 1.7.1 on a computer without a driver.
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from edge_sdk.inference.tensorrt.refusal import Refusal, builder_refusal, parser_refusal, refusal_hint

CUDA = (
    "/_src/plugin/roiAlignPlugin/roiAlignPlugin.cpp (161) - Cuda Error in ROIAlignV3: 35 (CUDA driver "
    "version is insufficient for CUDA runtime version); While parsing node number 25 [RoiAlign -> 'pooled']:"
)
NOT_FOUND = "Assertion failed: plugin != nullptr: ROIAlign plugin was not found in the plugin registry!"
NO_RUNNER = (
    "[tacticSupply.cpp::getSupportedFormats::48] Error Code 2: Internal Error (Assertion !layerImpls.empty() "
    "failed. rpn_nms_3 has no runners that implement it In getSupportedFormats at tacticSupply.cpp:48)"
)


def parser_error(operator: str, node: str, reason: str) -> SimpleNamespace:
    return SimpleNamespace(desc=lambda: reason, node_operator=lambda: operator, node_name=lambda: node)


def network(*layers: tuple[str, str]) -> SimpleNamespace:
    made = [SimpleNamespace(name=name, metadata=metadata) for name, metadata in layers]
    return SimpleNamespace(num_layers=len(made), get_layer=made.__getitem__)


def test_a_plugin_without_a_gpu_is_not_called_missing() -> None:
    refusal = parser_refusal(parser_error("RoiAlign", "roi_align", NOT_FOUND), CUDA)
    assert str(refusal).startswith(
        "RoiAlign 'roi_align': its plugin does not start here: CUDA error 35, CUDA driver version is insuff"
    )
    assert "asks for a GPU, so only `edge-sdk build` on the device can tell" in refusal_hint([refusal])


def test_cuda_is_not_named_where_something_else_is_the_cause() -> None:
    refusal = parser_refusal(parser_error("Unique", "different", "unsupported node"), CUDA)
    assert refusal == Refusal("Unique", "different", "unsupported node")


def test_a_plugin_that_is_truly_missing_keeps_its_reason() -> None:
    assert parser_refusal(parser_error("RoiAlign", "roi_align", NOT_FOUND), "").reason == NOT_FOUND


def test_a_layer_that_nothing_runs_is_told_by_its_onnx_node() -> None:
    layers = network(("rpn_nms", "[ONNX Layer: rpn_scores]"), ("rpn_nms_3", "[ONNX Layer: rpn_nms]"))
    assert builder_refusal(layers, NO_RUNNER) == Refusal("", "rpn_nms", NO_RUNNER)
    assert builder_refusal(network(), NO_RUNNER).node == "rpn_nms_3"
    assert builder_refusal(layers, "out of memory") == Refusal("", "", "out of memory")


@pytest.mark.parametrize(
    ("refusals", "hint"),
    [
        ([Refusal("Unique", "u", "no"), Refusal("", "rpn_nms", "no")], "without Unique, rpn_nms"),
        ([Refusal("Unique", "u", "no"), Refusal("Unique", "v", "no")], "without Unique"),
        ([Refusal("QuantizeLinear", "q", "zero point")], "convert the float model"),
        ([Refusal("input", "x", "is open beyond the batch")], "ONNX Runtime runs it all the same"),
        ([Refusal("", "", "it gives no reason")], "ONNX Runtime runs it all the same"),
    ],
)
def test_the_hint_names_what_to_do_without(refusals: list[Refusal], hint: str) -> None:
    told = refusal_hint(refusals)
    assert hint in told
    assert told.startswith("ONNX Runtime runs it all the same")
    assert told.endswith(hint) or "convert the float model" in hint

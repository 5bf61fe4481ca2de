"""The comparison of ways to make int8 says who passed a model, and only that."""

from __future__ import annotations

import pytest
from onnx_nets import INPUT, SHAPE, pictures, residual_net

from converters.variants.onnx_int8 import OnnxQuantizer
from converters.variants.onnx_prepared import prepare_onnx
from tools import onnx_int8


def test_tensorrt_rtx_passes_nothing_where_it_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_int8, "is_installed", lambda: False)
    prepared = prepare_onnx(residual_net(), INPUT, SHAPE)
    int8 = OnnxQuantizer(prepared, lambda: pictures(2), heads_in_float=False).quantize()
    assert onnx_int8.said_of(int8) == "lint passes it; TensorRT-RTX is not installed"

"""ONNX variants from source to bundle: what judges them, and what is told beside that."""

from __future__ import annotations

import io
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from conversions import report_of
from onnx import helper, numpy_helper
from tiny_models import tiny_onnx

from converters import convert
from converters.preflight.preflight import is_installed
from converters.proof import kernel_check, kernels, prove
from converters.proof.integer_probe import integer_kernels_saturate
from edge_sdk.contract.bundle import Bundle
from edge_sdk.inference.golden import run_golden
from edge_sdk.inference.open import open_backend
from edge_sdk.inference.options import EngineOptions, OnnxOptions

MADE = ("onnx-float32", "onnx-float16", "onnx-int8", "onnx-mixed")


def converted(workplace: Any, output: Path, variants: tuple[str, ...] = MADE, **given: Any) -> Bundle:
    asked: dict[str, Any] = {
        "spec": workplace.spec,
        "calibration": workplace.calibration,
        "evaluation": workplace.evaluation,
    }
    return convert(workplace.model, output=output, variants=variants, **asked | given)


@pytest.fixture(scope="module")
def bundle(workplace: Any, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return converted(workplace, tmp_path_factory.mktemp("onnx") / "x.edge")


def told_of(bundle: Bundle) -> str:
    """The page for people."""
    return unescape(bundle.read("report.html").decode())


def quantized_onnx(zero_point: int) -> bytes:
    """A model of one layer as somebody else would quantize it: its input has that zero point."""
    random = np.random.default_rng(0)
    weights = random.normal(scale=0.01, size=(2, 97 * 24)).astype(np.float32)
    model = onnx.load_from_string(tiny_onnx(weights, np.zeros(2, np.float32), (1, 97, 24)))
    model.graph.initializer.extend(
        [
            numpy_helper.from_array(np.array(0.05, np.float32), "scale"),
            numpy_helper.from_array(np.array(zero_point, np.int8), "zero"),
        ]
    )
    pair = [
        helper.make_node("QuantizeLinear", ["flat", "scale", "zero"], ["int8"], name="to_int8"),
        helper.make_node("DequantizeLinear", ["int8", "scale", "zero"], ["float"], name="from_int8"),
    ]
    nodes = list(model.graph.node)
    nodes[1].input[0] = "float"
    del model.graph.node[:]
    model.graph.node.extend([nodes[0], *pair, *nodes[1:]])
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def test_int8_is_judged_by_reference_kernels_and_float16_by_what_a_gpu_rounds(bundle: Bundle) -> None:
    golden = {name: np.load(_stream(bundle, name)) for name in MADE}
    int8 = bundle.manifest.variant("onnx-int8")
    with open_backend(bundle.read(int8.file), "onnx", reference_kernels=True) as backend:
        assert run_golden(bundle, "onnx-int8", backend).max_abs_difference == 0.0
    half = bundle.manifest.variant("onnx-float16")
    with open_backend(bundle.read(half.file), "onnx", reference_kernels=True) as backend:
        assert 0.0 < run_golden(bundle, "onnx-float16", backend).max_abs_difference < half.golden.bound
    assert not np.array_equal(golden["onnx-float16"], golden["onnx-float32"])


def _stream(bundle: Bundle, name: str) -> Any:
    return io.BytesIO(bundle.read(bundle.manifest.variant(name).golden.file))


def test_integers_in_float32_are_within_the_bound_of_integers(bundle: Bundle) -> None:
    in_float = EngineOptions(onnx=OnnxOptions(providers=["cpu"], integer_kernels=False))
    content = bundle.read(bundle.manifest.variant("onnx-int8").file)
    with open_backend(content, "onnx", options=in_float) as backend:
        assert run_golden(bundle, "onnx-int8", backend).passed


def test_what_default_kernels_make_of_them_here_is_told_beside(bundle: Bundle) -> None:
    variants = {item["name"]: item for item in report_of(bundle)["variants"]}
    assert variants["onnx-float32"]["default_kernels"] is None
    for name in MADE[1:]:
        figures = variants[name]["default_kernels"]
        assert figures["verified"]
        assert figures["golden_difference"] <= variants[name]["bound"]
        assert figures["agreement"] > 0.9
        assert f"{name}: by ONNX Runtime's default kernels on this processor: drop" in told_of(bundle)
    assert '<th class="n">default kernels</th>' in told_of(bundle)


def test_kernels_that_saturate_do_not_widen_the_bound_and_are_told(
    workplace: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This processor's may not: their answers are taken for saturated ones by exchanging them."""

    plain = kernels.Kernels.default

    def saturated(self: kernels.Kernels, threads: int) -> Any:
        chosen = plain(self, threads)
        return _Saturated(chosen) if self.is_quantized_onnx else chosen

    monkeypatch.setattr(kernels.Kernels, "default", saturated)
    for module in (kernels, kernel_check):
        monkeypatch.setattr(module, "saturates_here", lambda: True)
    made = converted(workplace, tmp_path / "x.edge", ("onnx-float32", "onnx-int8"))
    variant = made.manifest.variant("onnx-int8")
    assert variant.golden.bound <= 0.05
    figures = report_of(made)["variants"][1]["default_kernels"]
    assert (figures["saturates"], figures["verified"]) == (True, False)
    assert figures["golden_difference"] > variant.golden.bound
    assert "`edge-sdk verify` refuses it here" in told_of(made)
    assert "integer_kernels = false" in told_of(made)


class _Saturated:
    """Kernels, and then the backend that they open, that cut sums off."""

    def __init__(self, chosen: kernels.KernelSet) -> None:
        self._chosen = chosen

    def open(self, name: str) -> Any:
        self._backend = self._chosen.open(name)
        self.inputs, self.outputs, self.close = (
            self._backend.inputs,
            self._backend.outputs,
            self._backend.close,
        )
        return self

    def infer(self, tensors: Any) -> Any:
        return {name: np.minimum(value, 0.0) for name, value in self._backend.infer(tensors).items()}

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def test_the_probe_agrees_with_itself() -> None:
    assert integer_kernels_saturate() == integer_kernels_saturate()


@pytest.mark.skipif(not is_installed(), reason="TensorRT-RTX is not installed")
def test_tensorrt_rtx_builds_each_and_the_manifest_says_so(bundle: Bundle) -> None:
    for variant in bundle.manifest.variants:
        assert variant.build_check is not None
        assert (variant.build_check.tool, variant.build_check.passed) == ("TensorRT-RTX", True)
    assert f"builds {', '.join(MADE)}" in told_of(bundle)
    assert report_of(bundle)["not_built"] == ""


@pytest.mark.skipif(not is_installed(), reason="TensorRT-RTX is not installed")
def test_what_tensorrt_rtx_refuses_is_named_and_is_in_the_bundle_all_the_same(
    workplace: Any, tmp_path: Path
) -> None:
    (tmp_path / "given.onnx").write_bytes(quantized_onnx(zero_point=7))
    spec = tmp_path / "spec.toml"
    spec.write_text(workplace.spec.read_text().replace('"sigmoid"', '"none"'))
    made = convert(
        tmp_path / "given.onnx", spec=spec, evaluation=workplace.evaluation, output=tmp_path / "x.edge"
    )
    (variant,) = made.manifest.variants
    assert variant.build_check is not None
    assert not variant.build_check.passed
    assert variant.build_check.refusals[0].operator == "QuantizeLinear"
    told = told_of(made)
    assert "onnx: TensorRT-RTX" in told
    assert "refuses it: QuantizeLinear 'to_int8'" in told
    assert "onnx: zero-point: QuantizeLinear 'to_int8': its zero point is 7" in told
    assert "onnx: half-quantized: Gemm" in told
    assert "onnx: for TensorRT give the float model, of which onnx-int8 is made so that it takes it" in told
    reasons = {item["name"]: item["reason"] for item in report_of(made)["variants"]}
    assert reasons["onnx-float16"].startswith("it is quantized already: it has ")
    assert reasons["onnx-float16"].endswith("; give the float model that it was made from")


def test_where_tensorrt_rtx_is_not_installed_that_is_told_once(
    workplace: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prove, "is_installed", lambda: False)
    made = converted(workplace, tmp_path / "x.edge", ("onnx-float32", "onnx-float16"))
    assert [variant.build_check for variant in made.manifest.variants] == [None, None]
    assert told_of(made).count("no ONNX was tried with TensorRT-RTX: it is not installed") == 1


def test_given_onnx_becomes_float16_and_int8(workplace: Any, bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "given.onnx").write_bytes(bundle.read("models/onnx-float32.onnx"))
    made = converted(
        type("Given", (), {**vars(workplace), "model": tmp_path / "given.onnx"}),
        tmp_path / "x.edge",
        ("onnx", "onnx-float16", "onnx-int8", "tflite-int8"),
    )
    assert {variant.name for variant in made.manifest.variants} == {"onnx", "onnx-float16", "onnx-int8"}
    same = made.read("models/onnx-float16.onnx") == bundle.read("models/onnx-float16.onnx")
    assert same
    reasons = {item["name"]: item["reason"] for item in report_of(made)["variants"]}
    assert "taken as it is" in reasons["tflite-int8"]

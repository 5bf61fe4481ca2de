"""Golden samples are answered by kernels that are right, where others are not.

TFLite's kernels without XNNPACK are wrong for some models on some processors. Here they are made wrong
on any: they give each answer for the other label.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conversions import report_of

from converters import convert
from converters.proof import kernels
from edge_sdk.contract.bundle import Bundle
from edge_sdk.contract.values import Array
from edge_sdk.errors import GateRefusedError
from edge_sdk.inference.backend import Backend
from edge_sdk.inference.golden import run_golden
from edge_sdk.inference.open import open_backend


class _Exchanged:
    """A model whose labels come in the other order."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.inputs, self.outputs, self.close = backend.inputs, backend.outputs, backend.close

    def infer(self, tensors: Mapping[str, Array]) -> Mapping[str, Array]:
        return {name: np.flip(value, axis=-1) for name, value in self._backend.infer(tensors).items()}

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def make_wrong(monkeypatch: pytest.MonkeyPatch, *, but_judging: bool = False) -> None:
    """Have the reference kernels answer wrongly; or all but those that judge, which have one thread."""
    right = kernels.KernelSet.open

    def opened(self: kernels.KernelSet, name: str) -> Any:
        backend = right(self, name)
        return _Exchanged(backend) if self.reference or (but_judging and self.threads > 1) else backend

    monkeypatch.setattr(kernels.KernelSet, "open", opened)


def converted(workplace: Any, output: Path) -> Bundle:
    return convert(
        workplace.model,
        spec=workplace.spec,
        evaluation=workplace.evaluation,
        output=output,
        variants=("tflite-float32",),
    )


def test_answers_of_wrong_kernels_are_neither_expected_nor_within_the_bound(
    workplace: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_wrong(monkeypatch)
    bundle = converted(workplace, tmp_path / "x.edge")
    variant = bundle.manifest.variant("tflite-float32")
    assert variant.golden.bound == 1e-3
    with open_backend(bundle.read(variant.file), "tflite") as backend:
        assert run_golden(bundle, variant.name, backend).passed
        assert not run_golden(bundle, variant.name, _Exchanged(backend)).passed
    (told,) = [warning for warning in report_of(bundle)["warnings"] if "contradict" in warning]
    assert "tflite-float32: kernels contradict those that judged it (TFLite's kernels with XNNPACK)" in told
    assert "TFLite's kernels without XNNPACK are off by " in told
    assert "fails `edge-sdk verify`" in told
    assert not any("labels exchanged" in warning for warning in report_of(bundle)["warnings"])


def test_a_variant_whose_answers_nothing_confirms_is_left_out(
    workplace: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_wrong(monkeypatch, but_judging=True)
    with pytest.raises(GateRefusedError) as refused:
        converted(workplace, tmp_path / "x.edge")
    assert "nothing confirms its answers to the golden samples under TFLite's kernels" in str(refused.value)
    assert not (tmp_path / "x.edge").exists()

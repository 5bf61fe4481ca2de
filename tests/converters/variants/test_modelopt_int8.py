"""NVIDIA's Model Optimizer, in an environment of its own, makes int8 ONNX; or says why it did not.

It is tried for real where ``EDGE_SDK_MODELOPT_PYTHON`` names the Python of such an environment.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from onnx_nets import INPUT, SHAPE, answers, pictures, relative_error, residual_net

from converters import convert
from converters.variants.made import Made
from converters.variants.modelopt_int8 import quantize_by_modelopt
from converters.variants.onnx_int8 import OnnxQuantizer
from converters.variants.onnx_lint import lint_onnx
from converters.variants.onnx_operations import read_onnx_operations
from converters.variants.onnx_prepared import prepare_onnx
from edge_sdk.contract.values import Float32Array
from edge_sdk.errors import ConversionError, UsageError

PREPARED = prepare_onnx(residual_net(), INPUT, SHAPE)


def calibration() -> Iterable[Float32Array]:
    return iter(pictures(20))


def made_by(python: Path, time_limit_s: float = 300.0) -> Made:
    return quantize_by_modelopt(
        PREPARED, calibration, python, heads_in_float=False, time_limit_s=time_limit_s
    )


def stand_in(folder: Path, script: str) -> Path:
    """An executable that is started in the place of Python: ``$3`` to ``$5`` are the files."""
    python = folder / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    return python


def test_it_makes_what_the_lint_has_no_finding_in() -> None:
    named = os.environ.get("EDGE_SDK_MODELOPT_PYTHON")
    if not named:
        pytest.skip("EDGE_SDK_MODELOPT_PYTHON names no Python with NVIDIA's Model Optimizer")
    made = made_by(Path(named))
    assert lint_onnx(made.content) == []
    assert "NVIDIA's Model Optimizer 0." in made.note
    layers = [item.is_float for item in read_onnx_operations(made.content) if item.is_layer]
    assert layers[0] is False
    assert layers[-1] is True  # light, and so not given to it
    unseen = pictures(20, seed=9)
    assert relative_error(answers(residual_net(), unseen), answers(made.content, unseen)) < 0.05


def test_what_it_writes_is_taken_with_its_release_and_what_it_is_given_is_there(tmp_path: Path) -> None:
    int8 = OnnxQuantizer(PREPARED, calibration, heads_in_float=False).quantize()
    (tmp_path / "int8.onnx").write_bytes(int8)
    copy = f'test -s "$3" && test -s "$4" && cp {tmp_path}/int8.onnx "$5"; echo much ado; echo 0.47.0'
    made = made_by(stand_in(tmp_path, copy))
    assert made.content == int8
    assert made.note == "by NVIDIA's Model Optimizer 0.47.0, on 20 calibration tensors"


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("echo first >&2; echo 'No module named modelopt' >&2; exit 1", "No module named modelopt"),
        ("exit 7", "code 7"),
        ("echo 0.47.0", "ended without a model"),
    ],
)
def test_whatever_goes_wrong_is_told(tmp_path: Path, script: str, told: str) -> None:
    with pytest.raises(ConversionError, match=told):
        made_by(stand_in(tmp_path, script))


def test_what_takes_too_long_is_ended_and_told(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match="was not done after 1 s"):
        made_by(stand_in(tmp_path, "exec sleep 600"), time_limit_s=1.0)


def test_a_variant_that_it_does_not_make_is_left_out_and_the_others_are_not(
    workplace: Any, tmp_path: Path
) -> None:
    bundle = convert(
        workplace.model,
        spec=workplace.spec,
        calibration=workplace.calibration,
        evaluation=workplace.evaluation,
        output=tmp_path / "x.edge",
        variants=("onnx-float32", "onnx-int8"),
        modelopt_python=stand_in(tmp_path, "exit 3"),
    )
    assert [variant.name for variant in bundle.manifest.variants] == ["onnx-float32"]
    assert b"Model Optimizer failed: code 3" in bundle.read("report.json")


def test_a_python_that_is_not_there_is_wrong_use(workplace: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no Python") as caught:
        convert(
            workplace.model,
            spec=workplace.spec,
            evaluation=workplace.evaluation,
            output=tmp_path / "x.edge",
            modelopt_python=tmp_path / "nowhere",
        )
    assert "nvidia-modelopt" in (caught.value.hint or "")

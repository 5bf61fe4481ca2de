"""The benchmark of backends runs, and reports what its documentation names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_installation import FakeInstallation
from tiny_models import tiny_int8_tflite, tiny_onnx, tiny_tflite

SHAPE = (1, 224, 224, 3)
QUANTIZED_ENDS = ("int8", "int8, int8 ends")  # here, one small model stands for both


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models of one layer under the names of the real ones, whose making takes a minute."""
    folder = tmp_path_factory.mktemp("models")
    weights = np.full((3, 224 * 224 * 3), 1e-4, dtype=np.float32)
    bias = np.zeros(3, dtype=np.float32)
    quantized = tiny_int8_tflite(weights, bias, SHAPE, largest=1.0)
    (folder / "mobilenet_v2.tflite").write_bytes(tiny_tflite(weights, bias, SHAPE))
    (folder / "mobilenet_v2_int8.tflite").write_bytes(quantized)
    (folder / "mobilenet_v2_int8_ends.tflite").write_bytes(quantized)
    (folder / "mobilenet_v2.onnx").write_bytes(tiny_onnx(weights, bias, SHAPE))
    return folder


def report_of(project: Path, models: Path, search_path: str) -> Any:
    """What a quick run tells, with what that leads to as the TensorRT of this computer."""
    quick = ["--steps", "3", "--rounds", "1", "--seconds", "0.02", "--inferences", "3", "--json"]
    done = subprocess.run(
        [sys.executable, str(project / "benchmarks/backends.py"), "--models", str(models), *quick],
        cwd=project,
        env={**os.environ, "PYTHONPATH": search_path},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.fixture
def installation(tmp_path: Path) -> FakeInstallation:
    folder = tmp_path / "installed"
    folder.mkdir()
    return FakeInstallation(folder)


def test_every_backend_is_compared_with_its_library(
    project: Path, models: Path, installation: FakeInstallation
) -> None:
    installation.hide()
    report = report_of(project, models, installation.search_path)
    measured = [(line["library"], line["model"]) for line in report["overhead"]]
    assert measured == [
        ("TFLite", "float32"),
        ("TFLite", "int8"),
        ("TFLite", "int8, int8 ends"),
        ("ONNX Runtime", "float32"),
    ]
    for line in report["overhead"]:
        assert line["ratio"] > 1
        assert line["overhead_us"] > 0
        assert (line["bound_ratio"] is None) == (line["library"] == "TFLite")
        for by_hand in ("by_hand_ratio", "by_hand_kept_ratio"):
            assert (line[by_hand] is None) == (line["model"] not in QUANTIZED_ENDS)
    assert [line["model"] for line in report["streams"]][-1] == "float32, spinning"
    assert all(line["two_streams_per_s"] > 0 and line["two_threads_per_s"] > 0 for line in report["streams"])
    assert [line["inferences"] for line in report["memory"]] == [3] * 4
    (missing,) = report["left_out"]
    assert missing["library"] == "TensorRT"
    assert "is not installed" in missing["reason"]


def test_tensorrt_is_compared_with_its_library_where_there_is_a_gpu(
    project: Path, models: Path, installation: FakeInstallation
) -> None:
    installation.install("10.3")
    report = report_of(project, models, installation.search_path)
    assert report["left_out"] == []
    overhead, memory = report["overhead"][-1], report["memory"][-1]
    assert (overhead["library"], memory["library"], memory["inferences"]) == ("TensorRT", "TensorRT", 3)
    assert overhead["ratio"] > 1
    assert overhead["library_us"] > 0
    assert {line["library"] for line in report["streams"]} == {"TFLite", "ONNX Runtime"}  # it has no threads


def test_a_library_that_refuses_its_gpu_is_left_out_with_the_reason(
    project: Path, models: Path, installation: FakeInstallation
) -> None:
    installation.install("10.3", failing={"cudaGetDeviceCount": "cudaErrorNoDevice"})
    (missing,) = report_of(project, models, installation.search_path)["left_out"]
    assert "cudaErrorNoDevice" in missing["reason"]

"""The benchmark of backends runs, and reports what its documentation names."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_models import tiny_int8_tflite, tiny_onnx, tiny_tflite

SHAPE = (1, 224, 224, 3)


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


def test_every_backend_is_compared_with_its_library(project: Path, models: Path) -> None:
    script = project / "benchmarks/backends.py"
    quick = ["--steps", "3", "--rounds", "1", "--seconds", "0.02", "--inferences", "3", "--json"]
    command = [sys.executable, str(script), "--models", str(models), *quick]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
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
    assert [line["model"] for line in report["streams"]][-1] == "float32, spinning"
    assert all(line["two_streams_per_s"] > 0 and line["two_threads_per_s"] > 0 for line in report["streams"])
    assert [line["inferences"] for line in report["memory"]] == [3] * 4

"""ONNX in int8 by NVIDIA's Model Optimizer, in an environment of its own."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from edge_sdk.errors import ConversionError

from .kept_samples import MOST_SAMPLES, ThinnedSamples
from .made import Calibration, Made
from .onnx_graph import OnnxGraph
from .onnx_layers import place
from .onnx_opset import settle_opset
from .onnx_prepared import PreparedOnnx

__all__ = ["TIME_LIMIT_S", "quantize_by_modelopt"]

TIME_LIMIT_S = 3600.0
"""Its search for ranges takes a minute for EfficientNet-Lite0 on two cores, and longer for large networks."""

_SCRIPT = Path(__file__).with_name("modelopt_script.py")


def quantize_by_modelopt(
    prepared: PreparedOnnx,
    calibration: Calibration,
    python: Path,
    *,
    heads_in_float: bool,
    time_limit_s: float = TIME_LIMIT_S,
) -> Made:
    """Quantize.

    Args:
        prepared: The model in float32.
        calibration: Tensors to measure ranges on; at most :data:`MOST_SAMPLES` of them are used, for it keeps
            what every tensor of the model becomes for each.
        python: Of the environment that it is installed in.
        heads_in_float: Keep the last layers in float, however heavy they are.
        time_limit_s: After so long it is ended.

    Raises:
        ConversionError: It is not there, fails, or takes too long.
    """
    samples = ThinnedSamples(MOST_SAMPLES)
    for tensor in calibration():
        samples.add(tensor)
    graph = OnnxGraph(prepared.load())
    layers = {node.name for node in graph.nodes if graph.is_layer(node)}
    kept = sorted(layers - {node.name for node in place(graph, heads_in_float=heads_in_float).layers})
    with tempfile.TemporaryDirectory(prefix="edge-sdk-") as folder:
        source, tensors, target = (Path(folder, name) for name in ("float.onnx", "tensors.npz", "int8.onnx"))
        source.write_bytes(prepared.content)
        content: dict[str, Any] = {prepared.input_name: np.concatenate(samples.kept)}
        np.savez(tensors, **content)
        release = _run(
            [str(python), "-I", str(_SCRIPT), *map(str, (source, tensors, target)), *kept], time_limit_s
        )
        if not target.exists():
            raise ConversionError("NVIDIA's Model Optimizer ended without a model")
        quantized = target.read_bytes()
    import onnx

    note = f"by NVIDIA's Model Optimizer {release}, on {len(samples.kept)} calibration tensors"
    return Made(prepared.finish(settle_opset(onnx.load_from_string(quantized))), note)


def _run(command: list[str], time_limit_s: float) -> str:
    """Run it on the CPU; gives its release."""
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "ORT_DISABLE_TELEMETRY": "1"}
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=time_limit_s,
            check=False,
        )
    except OSError as error:
        raise ConversionError(f"{command[0]} cannot be started: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise ConversionError(f"NVIDIA's Model Optimizer was not done after {time_limit_s:g} s") from error
    if done.returncode != 0:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or [f"code {done.returncode}"]
        raise ConversionError(
            f"NVIDIA's Model Optimizer failed: {lines[-1][:300]}",
            hint=f"{command[0]} -m pip install 'nvidia-modelopt[onnx]'",
        )
    return done.stdout.decode("utf-8", "replace").strip().splitlines()[-1].strip()

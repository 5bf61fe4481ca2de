"""Run by the Python of an environment of its own, where NVIDIA's Model Optimizer is installed.

    python -I modelopt_script.py FLOAT.onnx CALIBRATION.npz INT8.onnx [NODE ...]

It and ONNX Runtime's build for GPUs cannot be installed beside what this project needs, so nothing of
ours is imported here. The nodes stay in float. The last line of standard output is the release.
"""

from __future__ import annotations

import sys
from importlib import import_module, metadata

__all__: list[str] = []


def _main() -> int:
    source, calibration, target, *kept = sys.argv[1:]
    numpy = import_module("numpy")
    quantization = import_module("modelopt.onnx.quantization")
    with numpy.load(calibration) as content:
        samples = {name: content[name] for name in content.files}
    quantization.quantize(
        source,
        quantize_mode="int8",
        calibration_data=samples,
        calibration_method="entropy",
        calibration_eps=["cpu"],
        high_precision_dtype="fp32",
        nodes_to_exclude=kept or None,
        output_path=target,
        log_level="WARNING",
    )
    sys.stdout.write(f"\n{metadata.version('nvidia-modelopt')}\n")
    return 0


if __name__ == "__main__":
    sys.exit(_main())

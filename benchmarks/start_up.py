"""Process start to the first window's scores, and memory, against a process with the bare engine.

    python benchmarks/start_up.py [--rounds N] [--json]

A round starts both processes, one after the other in turning order. Ours opens and verifies a bundle
and takes one window of sound through the pipeline; the bare one loads NumPy and the engine and runs
the same model once. Peak memory is what the kernel counted for each (VmHWM where there is one).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from yamnet import RATE_HZ, STEP_SAMPLES, WINDOW_SAMPLES, model_path, write_yamnet_bundle

AIM_TIME = 1.5
AIM_MEMORY = 1.4

PEAK = """
import resource, sys
try:
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024
except OSError:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(peak, flush=True)
"""

ENGINE = """
import sys
import numpy as np
from ai_edge_litert.interpreter import Interpreter
interpreter = Interpreter(model_path=sys.argv[1], num_threads=1)
interpreter.allocate_tensors()
interpreter.set_tensor(interpreter.get_input_details()[0]["index"], np.zeros((1, 96, 64), np.float32))
interpreter.invoke()
assert interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).shape == (1, 521)
"""

PIPELINE = """
import sys
import numpy as np
from device import Pipeline
from edge_sdk import AudioBlock, Bundle
scored = []
with Pipeline.open(Bundle.open(sys.argv[1]), on_scores=scored.append) as pipeline:
    list(pipeline.push(AudioBlock(np.zeros(15_600, np.float32), 16_000)))
assert len(scored) == 1 and len(scored[0].scores) == 521
"""


class Process(NamedTuple):
    """One process, from its start until it had an answer."""

    wall_s: float
    peak_bytes: int


class Result(NamedTuple):
    """Medians over the rounds; ratios are of the pairs."""

    pipeline_s: float
    engine_s: float
    ratio_time: float
    pipeline_peak_bytes: float
    engine_peak_bytes: float
    ratio_memory: float


def started(program: str, argument: Path) -> Process:
    """Run a program in a fresh interpreter, until it says how much memory it took."""
    command = [sys.executable, "-I", "-c", program + PEAK, str(argument)]
    began = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        answer = process.stdout.readline() if process.stdout else ""
        wall_s = time.perf_counter() - began
        _, errors = process.communicate()
    if process.returncode:
        raise SystemExit(f"a measured process failed:\n{errors}")
    return Process(wall_s, int(answer))


def measure(rounds: int) -> Result:
    """Start both so many times in turning order, after one of each to fill the disk cache."""
    pairs = []
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "yamnet-1.0.0.edge"
        write_yamnet_bundle(bundle)
        for turn in range(rounds + 1):
            if turn % 2:
                ours, bare = started(PIPELINE, bundle), started(ENGINE, model_path())
            else:
                bare, ours = started(ENGINE, model_path()), started(PIPELINE, bundle)
            pairs.append((ours, bare))
    pairs = pairs[1:]
    return Result(
        pipeline_s=statistics.median(ours.wall_s for ours, _ in pairs),
        engine_s=statistics.median(bare.wall_s for _, bare in pairs),
        ratio_time=statistics.median(ours.wall_s / bare.wall_s for ours, bare in pairs),
        pipeline_peak_bytes=statistics.median(ours.peak_bytes for ours, _ in pairs),
        engine_peak_bytes=statistics.median(bare.peak_bytes for _, bare in pairs),
        ratio_memory=statistics.median(ours.peak_bytes / bare.peak_bytes for ours, bare in pairs),
    )


def _print_table(result: Result) -> None:
    print(f"YAMNet, int8 inside (TFLite, one thread), {RATE_HZ} Hz, window {WINDOW_SAMPLES} samples")
    print("process start to the scores of the first window; medians")
    print("          pipeline     engine  ratio   aim")
    times = f"{result.pipeline_s:8.3f} s  {result.engine_s:8.3f} s"
    print(f"time    {times}  {result.ratio_time:5.2f}  {AIM_TIME:4.2f}")
    mib = (result.pipeline_peak_bytes / 2**20, result.engine_peak_bytes / 2**20)
    print(f"memory  {mib[0]:6.1f} MiB {mib[1]:6.1f} MiB  {result.ratio_memory:5.2f}  {AIM_MEMORY:4.2f}")


def main() -> None:
    """Measure, and print a table or an object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10, help="pairs of processes")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    arguments = parser.parse_args()
    rounds = max(1, arguments.rounds)
    result = measure(rounds)
    if not arguments.json:
        _print_table(result)
        return
    report = {
        "benchmark": "start_up",
        "model": "yamnet",
        "threads": 1,
        "sample_rate_hz": RATE_HZ,
        "window_samples": WINDOW_SAMPLES,
        "step_samples": STEP_SAMPLES,
        "rounds": rounds,
        **result._asdict(),
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()

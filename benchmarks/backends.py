"""What a backend adds to the library that it calls, which threads to give it, and whether memory grows.

    python benchmarks/backends.py [--steps N] [--rounds N] [--inferences N] [--models FOLDER] [--json]

All with MobileNetV2, 224 px, as `picture_mobilenet_v2.py` makes it.

Overhead (`backend_overhead.py`): a whole ``infer`` against the library's own calls that it contains, in the
same step, on one thread. For TFLite these are ``set_tensor``, ``invoke`` and ``get_tensor``, for ONNX Runtime
``run``, for TensorRT the launch of the CUDA graph and the wait for it. Where a TFLite model takes int8, the
backend quantizes and its library's calls do not: in turns with it, the same done by hand, once by the obvious
line of NumPy with its new arrays, and once in memory that is kept, as the backend does it
(`backend_by_hand.py`). In turns with ONNX Runtime, its ``io_binding``: outputs in memory that is bound once.
Where TensorRT or a GPU is missing, that is told.

Threads (`backend_streams.py`): two streams with a thread each, on an engine of their own, against one stream
with two threads. A round is both for half a second each, in turning order, and gives one ratio of inferences
a second. Then one stream with two threads that has something to do every 0.1 s: what of a processor that
takes.

Memory (`backend_growth.py`): what the process has more after many inferences, which are no file's pages, and
Python's own pieces of memory; in all, and the median of ten parts.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy loads

from backend_cases import LeftOut, cases, tensorrt_case
from backend_growth import PARTS, Growth, measure_growth
from backend_overhead import AIM, Overhead, measure_overhead
from backend_streams import PACE_S, Streams, measure_streams
from picture_mobilenet_v2 import FLOAT_ONNX, SIDE

STREAM_S = 0.5


def _print_overheads(lines: list[Overhead]) -> None:
    print(f"overhead over the library's own calls, in µs; aim: ratio at most {AIM}")
    print("io_binding: its time to infer's; new arrays, kept arrays: infer's time to that of quantizing by")
    print("hand in NumPy and the calls, with new arrays in each step or in memory that is kept")
    titles = "   infer  library   more   ratio  io_binding  new arrays  kept arrays"
    print(f"{'library':<12}  {'model':<17}  {titles}")
    for line in lines:
        bound = "" if line.bound_ratio is None else f"{line.bound_ratio:.3f}"
        by_hand = "" if line.by_hand_ratio is None else f"{line.by_hand_ratio:.3f}"
        kept = "" if line.by_hand_kept_ratio is None else f"{line.by_hand_kept_ratio:.3f}"
        print(
            f"{line.library:<12}  {line.model:<17}  {line.infer_us:8.0f}  {line.library_us:7.0f}  "
            f"{line.overhead_us:5.0f}  {line.ratio:6.3f}  {bound:>10}  {by_hand:>10}  {kept:>11}".rstrip()
        )


def _print_streams(lines: list[Streams]) -> None:
    print("\ninferences a second: two streams with a thread each, one stream with two threads, ratio;")
    print(f"and the processors that are busy while one stream with two threads infers every {PACE_S} s")
    for line in lines:
        print(
            f"{line.library:<12}  {line.model:<17}  {line.two_streams_per_s:7.1f}  "
            f"{line.two_threads_per_s:7.1f}  {line.ratio:6.2f}  {line.paced_load:6.2f}"
        )


def _print_growths(lines: list[Growth]) -> None:
    print(f"\nmemory over many inferences: growth of the process in KiB, in all and median of {PARTS} parts;")
    print("Python's pieces of memory likewise")
    for line in lines:
        print(
            f"{line.library:<12}  {line.model:<17}  {line.inferences:7}  {line.growth_kib:5}  "
            f"{line.growth_of_part_kib:5.1f}  {line.python_blocks:6}  {line.python_blocks_of_part:6.1f}"
        )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=200, help="inferences for each line of the first table")
    parser.add_argument("--rounds", type=int, default=8, help="rounds for each line of the second table")
    parser.add_argument("--seconds", type=float, default=STREAM_S, help="of each half of such a round")
    parser.add_argument("--inferences", type=int, default=1000, help="for each line of the third table")
    parser.add_argument("--models", type=Path, help="where the models are, or are to be kept")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    return parser.parse_args()


def main() -> None:
    """Measure what was not switched off with 0."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as made:
        models = arguments.models or Path(made)
        if not (models / FLOAT_ONNX).is_file():
            script = Path(__file__).with_name("picture_mobilenet_v2.py")
            subprocess.run([sys.executable, str(script), str(models)], check=True, capture_output=True)
        measured, on_gpu = cases(models), tensorrt_case(models)
    left_out = [on_gpu] if isinstance(on_gpu, LeftOut) else []
    measured += [] if isinstance(on_gpu, LeftOut) else [on_gpu]
    plain = [case for case in measured if "spinning" not in case.name]
    overheads = [measure_overhead(case, arguments.steps) for case in plain if arguments.steps > 0]
    streams = [
        measure_streams(case, arguments.rounds, arguments.seconds)
        for case in measured
        if arguments.rounds > 0 and case.has_threads
    ]
    growths = [measure_growth(case, arguments.inferences) for case in plain if arguments.inferences > 0]
    if not arguments.json:
        print(f"MobileNetV2, {SIDE} px; medians; one thread")
        _print_overheads(overheads)
        _print_streams(streams)
        _print_growths(growths)
        for missing in left_out:
            print(f"\n{missing.library} is left out: {missing.reason}")
        return
    report = {
        "benchmark": "backends",
        "model": "mobilenet_v2",
        "side": SIDE,
        "overhead": [line._asdict() for line in overheads],
        "streams": [line._asdict() for line in streams],
        "memory": [line._asdict() for line in growths],
        "left_out": [line._asdict() for line in left_out],
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()

"""What a backend adds to the library that it calls, which threads to give it, and whether memory grows.

    python benchmarks/backends.py [--steps N] [--rounds N] [--inferences N] [--models FOLDER] [--json]

All with MobileNetV2, 224 px, as `picture_mobilenet_v2.py` makes it.

Overhead: a whole ``infer`` against the library's own calls that it contains, in the same step, on one
thread. For TFLite these are ``set_tensor``, ``invoke`` and ``get_tensor``, for ONNX Runtime ``run``, for
TensorRT the launch of the CUDA graph and the wait for it. In turns with it, ONNX Runtime with its
``io_binding``: outputs in memory that is bound once. Where TensorRT or a GPU is missing, that is told.

Threads: two streams with a thread each, on an engine of their own, against one stream with two threads. A
round is both for half a second each, in turning order, and gives one ratio of inferences a second. Then one
stream with two threads that has something to do every 0.1 s: what of a processor that takes.

Memory: what the process has more after many inferences, and Python's own blocks of memory.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy loads

import numpy as np
from picture_mobilenet_v2 import FLOAT_ONNX, FLOAT_TFLITE, INT8_ENDS_TFLITE, INT8_TFLITE, SIDE

from edge_sdk.contract.values import Array
from edge_sdk.errors import EdgeSdkError
from edge_sdk.inference.engine import Engine, EngineBackend
from edge_sdk.inference.onnx import OnnxEngine
from edge_sdk.inference.options import OnnxOptions
from edge_sdk.inference.tensorrt.build import build_engine
from edge_sdk.inference.tensorrt.cuda import open_cuda
from edge_sdk.inference.tensorrt.engine import TensorRtEngine
from edge_sdk.inference.tensorrt.library import find_library
from edge_sdk.inference.tensorrt.products import TENSORRT
from edge_sdk.inference.tflite import TFLiteEngine

AIM = 1.02
WARM_UP = 20
STREAM_S = 0.5
PACE_S = 0.1
_TFLITE_CALLS = ("set_tensor", "invoke", "get_tensor")
_TENSOR = np.random.default_rng(0).uniform(-1, 1, (1, SIDE, SIDE, 3)).astype(np.float32)


class Case(NamedTuple):
    """A model, and how it is loaded with so many threads; a GPU has none to choose."""

    name: str
    library: str
    load: Callable[[int], Engine]
    has_threads: bool = True


class LeftOut(NamedTuple):
    """A library that is not measured here, and why."""

    library: str
    reason: str


class Overhead(NamedTuple):
    """One line of the first table; medians, in microseconds."""

    model: str
    library: str
    infer_us: float
    library_us: float
    overhead_us: float
    ratio: float
    bound_ratio: float | None


class Streams(NamedTuple):
    """One line of the second table; medians of inferences a second.

    Attributes:
        paced_load: Processors that are busy while two threads infer every 0.1 s.
    """

    model: str
    library: str
    two_streams_per_s: float
    two_threads_per_s: float
    ratio: float
    paced_load: float


class Memory(NamedTuple):
    """One line of the third table: what there is more after the first half, and after the second."""

    model: str
    library: str
    inferences: int
    growth_kib: tuple[int, int]
    python_blocks: tuple[int, int]


class CallClock:
    """Puts itself in the place of some functions of objects, and adds up how long they take."""

    def __init__(self, functions: list[tuple[Any, str]]) -> None:
        self.took_s = 0.0
        for owner, name in functions:
            setattr(owner, name, self._timed(getattr(owner, name)))

    def _timed(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any) -> Any:
            began = time.perf_counter()
            answer = call(*arguments)
            self.took_s += time.perf_counter() - began
            return answer

        return timed


def cases(models: Path) -> list[Case]:
    """What is measured."""

    def tflite(name: str) -> Callable[[int], Engine]:
        content = (models / name).read_bytes()
        return lambda threads: TFLiteEngine(content, threads=threads, reference_kernels=False, name=name)

    def onnx(options: OnnxOptions) -> Callable[[int], Engine]:
        content = (models / FLOAT_ONNX).read_bytes()
        return lambda threads: OnnxEngine(
            content, threads=threads, reference_kernels=False, name=FLOAT_ONNX, options=options
        )

    return [
        Case("float32", "TFLite", tflite(FLOAT_TFLITE)),
        Case("int8", "TFLite", tflite(INT8_TFLITE)),
        Case("int8, int8 ends", "TFLite", tflite(INT8_ENDS_TFLITE)),
        Case("float32", "ONNX Runtime", onnx(OnnxOptions(providers=["cpu"]))),
        Case("float32, spinning", "ONNX Runtime", onnx(OnnxOptions(providers=["cpu"], spinning=True))),
    ]


def tensorrt_case(models: Path) -> Case | LeftOut:
    """The float32 model on this computer's GPU, its engine built now."""
    try:
        library, cuda = find_library(), open_cuda()
        built = build_engine(
            library, (models / FLOAT_ONNX).read_bytes(), compute_capability=cuda.gpu.compute_capability
        )
    except EdgeSdkError as error:
        return LeftOut(TENSORRT, error.message)
    if built.plan is None:
        return LeftOut(library.product, "; ".join(map(str, built.refusals)))
    plan = built.plan
    return Case(
        "float32",
        library.product,
        lambda _: TensorRtEngine(plan, library=library, cuda=cuda, name=FLOAT_ONNX),
        has_threads=False,
    )


def measure_overhead(case: Case, steps: int) -> Overhead:
    """Time ``infer`` with clocks inside, in turns with the same session's ``io_binding`` where it has one."""
    engine = case.load(1)
    bound = _bound(engine, next(spec.name for spec in engine.inputs))
    clock = CallClock(_library_of(engine))
    backend = EngineBackend(case.name, engine)
    inputs = {backend.inputs[0].name: _TENSOR}
    whole: list[float] = []
    inside: list[float] = []
    with_binding: list[float] = []

    def ours() -> None:
        clock.took_s = 0.0
        began = time.perf_counter()
        backend.infer(inputs)
        whole.append(time.perf_counter() - began)
        inside.append(clock.took_s)

    def theirs() -> None:
        if bound is not None:
            began = time.perf_counter()
            bound()
            with_binding.append(time.perf_counter() - began)

    for step in range(WARM_UP + steps):
        for call in (ours, theirs) if step % 2 else (theirs, ours):
            call()
    pairs = list(zip(whole, inside, strict=True))[WARM_UP:]
    return Overhead(
        case.name,
        case.library,
        infer_us=1e6 * statistics.median(took for took, _ in pairs),
        library_us=1e6 * statistics.median(took for _, took in pairs),
        overhead_us=1e6 * statistics.median(a - b for a, b in pairs),
        ratio=statistics.median(a / b for a, b in pairs),
        bound_ratio=statistics.median(b / a for a, b in zip(whole, with_binding, strict=True) if b)
        if with_binding
        else None,
    )


def _library_of(engine: Engine) -> list[tuple[Any, str]]:
    """Where the library's functions are that an engine calls."""
    # The clock goes inside.
    if isinstance(engine, TFLiteEngine):
        return [(engine._interpreter, name) for name in _TFLITE_CALLS]  # noqa: SLF001
    if isinstance(engine, OnnxEngine):
        return [(engine._session, "run")]  # noqa: SLF001
    if isinstance(engine, TensorRtEngine):
        session = engine._session  # noqa: SLF001
        launch = (session, "_enqueue") if session._graph is None else (session._graph, "launch")  # noqa: SLF001
        return [launch, (session._cuda, "synchronize")]  # noqa: SLF001
    raise TypeError(type(engine).__name__)


def _bound(engine: Engine, input_name: str) -> Callable[[], object] | None:
    """The same session run through ``io_binding``, with all that a backend would have to do for it."""
    if not isinstance(engine, OnnxEngine):
        return None
    import onnxruntime

    session = engine._session  # noqa: SLF001 - as a backend could have it
    binding = session.io_binding()
    outputs = {}
    for spec in engine.outputs:
        value = onnxruntime.OrtValue.ortvalue_from_shape_and_type(list(spec.shape), np.float32)
        binding.bind_ortvalue_output(spec.name, value)
        outputs[spec.name] = value

    def run() -> dict[str, Array]:
        binding.bind_cpu_input(input_name, _TENSOR)
        session.run_with_iobinding(binding)
        return {name: value.numpy() for name, value in outputs.items()}

    return run


def measure_streams(case: Case, rounds: int, seconds: float) -> Streams:
    """Inferences a second of two streams with a thread each, and of one with two threads."""
    two_streams = [EngineBackend(case.name, case.load(1)) for _ in range(2)]
    two_threads = [EngineBackend(case.name, case.load(2))]
    measured: list[tuple[float, float]] = []
    for turn in range(rounds + 1):
        if turn % 2:
            threads_per_s, streams_per_s = _per_s(two_threads, seconds), _per_s(two_streams, seconds)
        else:
            streams_per_s, threads_per_s = _per_s(two_streams, seconds), _per_s(two_threads, seconds)
        measured.append((streams_per_s, threads_per_s))
    kept = measured[1:]  # the first one warms up
    return Streams(
        case.name,
        case.library,
        two_streams_per_s=statistics.median(streams for streams, _ in kept),
        two_threads_per_s=statistics.median(threads for _, threads in kept),
        ratio=statistics.median(streams / threads for streams, threads in kept),
        paced_load=_paced_load(two_threads[0], rounds * seconds),
    )


def _paced_load(backend: EngineBackend, seconds: float) -> float:
    """Processor time over wall time; nothing is to be done for most of it."""
    inputs = {backend.inputs[0].name: _TENSOR}
    began, began_busy = time.perf_counter(), time.process_time()
    for number in range(1, 2 + round(seconds / PACE_S)):
        backend.infer(inputs)
        time.sleep(max(0.0, began + number * PACE_S - time.perf_counter()))
    return (time.process_time() - began_busy) / (time.perf_counter() - began)


def _per_s(backends: list[EngineBackend], seconds: float) -> float:
    """Inferences a second of all of them together, each in a Python thread of its own."""
    counts = [0] * len(backends)
    together = threading.Barrier(len(backends))

    def stream(number: int, backend: EngineBackend) -> None:
        inputs = {backend.inputs[0].name: _TENSOR}
        together.wait()
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            backend.infer(inputs)
            counts[number] += 1

    threads = [threading.Thread(target=stream, args=pair) for pair in enumerate(backends)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - began)


def measure_memory(case: Case, inferences: int) -> Memory:
    """What grows over so many inferences, after a tenth of that, which fills all caches.

    In two halves: what a library takes once is not what would fill a memory in a year.
    """
    backend = EngineBackend(case.name, case.load(1))
    inputs = {backend.inputs[0].name: _TENSOR}
    for _ in range(max(WARM_UP, inferences // 10)):
        backend.infer(inputs)
    kib: list[int] = []
    blocks: list[int] = []
    for half in (0, inferences // 2, inferences - inferences // 2):
        for _ in range(half):
            backend.infer(inputs)
        gc.collect()
        kib.append(_resident_kib())
        blocks.append(sys.getallocatedblocks())
    return Memory(
        case.name,
        case.library,
        inferences,
        growth_kib=(kib[1] - kib[0], kib[2] - kib[1]),
        python_blocks=(blocks[1] - blocks[0], blocks[2] - blocks[1]),
    )


def _resident_kib() -> int:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def _print_tables(overheads: list[Overhead], streams: list[Streams], memories: list[Memory]) -> None:
    print(f"MobileNetV2, {SIDE} px; medians; one thread")
    print(f"overhead over the library's own calls, in µs; aim: ratio at most {AIM}")
    print(
        f"{'library':<12}  {'model':<17}  {'infer':>7}  {'library':>7}  {'more':>5}  {'ratio':>6}  io_binding"
    )
    for line in overheads:
        bound = "" if line.bound_ratio is None else f"{line.bound_ratio:10.3f}"
        print(
            f"{line.library:<12}  {line.model:<17}  {line.infer_us:7.0f}  {line.library_us:7.0f}  "
            f"{line.overhead_us:5.0f}  {line.ratio:6.3f}  {bound}".rstrip()
        )
    print("\ninferences a second: two streams with a thread each, one stream with two threads, ratio; ")
    print("and the processors that are busy while one stream with two threads infers every 0.1 s")
    for stream in streams:
        print(
            f"{stream.library:<12}  {stream.model:<17}  {stream.two_streams_per_s:7.1f}  "
            f"{stream.two_threads_per_s:7.1f}  {stream.ratio:6.2f}  {stream.paced_load:6.2f}"
        )
    print(
        "\nmemory over many inferences, first and second half: growth of the process in KiB, Python's blocks"
    )
    for memory in memories:
        (first, second), (blocks, more_blocks) = memory.growth_kib, memory.python_blocks
        print(
            f"{memory.library:<12}  {memory.model:<17}  {memory.inferences:7}  {first:5}  {second:5}  "
            f"{blocks:6}  {more_blocks:6}"
        )


def main() -> None:
    """Measure what was not switched off with 0."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=200, help="inferences for each line of the first table")
    parser.add_argument("--rounds", type=int, default=8, help="rounds for each line of the second table")
    parser.add_argument("--seconds", type=float, default=STREAM_S, help="of each half of such a round")
    parser.add_argument("--inferences", type=int, default=1000, help="for each line of the third table")
    parser.add_argument("--models", type=Path, help="where the models are, or are to be kept")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        models = arguments.models or Path(made)
        if not (models / FLOAT_ONNX).is_file():
            script = Path(__file__).with_name("picture_mobilenet_v2.py")
            subprocess.run([sys.executable, str(script), str(models)], check=True, capture_output=True)
        measured, left_out = cases(models), []
        on_gpu = tensorrt_case(models)
    if isinstance(on_gpu, LeftOut):
        left_out.append(on_gpu)
    else:
        measured.append(on_gpu)
    plain = [case for case in measured if "spinning" not in case.name]
    overheads = [measure_overhead(case, arguments.steps) for case in plain if arguments.steps > 0]
    streams = [
        measure_streams(case, arguments.rounds, arguments.seconds)
        for case in measured
        if arguments.rounds > 0 and case.has_threads
    ]
    memories = [measure_memory(case, arguments.inferences) for case in plain if arguments.inferences > 0]
    if not arguments.json:
        _print_tables(overheads, streams, memories)
        for missing in left_out:
            print(f"\n{missing.library} is left out: {missing.reason}")
        return
    report = {
        "benchmark": "backends",
        "model": "mobilenet_v2",
        "side": SIDE,
        "overhead": [line._asdict() for line in overheads],
        "streams": [line._asdict() for line in streams],
        "memory": [line._asdict() for line in memories],
        "left_out": [line._asdict() for line in left_out],
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()

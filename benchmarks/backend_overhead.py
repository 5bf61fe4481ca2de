"""What a backend's ``infer`` takes beside the library's own calls that it contains: for `backends.py`."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from backend_by_hand import TFLITE_CALLS, by_hand
from backend_cases import PICTURE, WARM_UP, Case, infer_picture

from edge_sdk.contract.values import Array
from edge_sdk.inference.engine import Engine, EngineBackend
from edge_sdk.inference.onnx import OnnxEngine
from edge_sdk.inference.tensorrt.engine import TensorRtEngine
from edge_sdk.inference.tflite import TFLiteEngine

__all__ = ["AIM", "Overhead", "measure_overhead"]

AIM = 1.02


class Overhead(NamedTuple):
    """One case; medians, in microseconds.

    Attributes:
        ratio: Of ``infer`` to the library's calls inside it.
        bound_ratio: Of ONNX Runtime's ``io_binding`` to ``infer``.
        by_hand_ratio: Of ``infer`` to the least that a caller of a quantized TFLite model writes who has
            real numbers: quantization in NumPy, the library's calls, and back. New arrays each time.
        by_hand_kept_ratio: The same to one who keeps the memory for all steps, as the backend does.
    """

    model: str
    library: str
    infer_us: float
    library_us: float
    overhead_us: float
    ratio: float
    bound_ratio: float | None
    by_hand_ratio: float | None
    by_hand_kept_ratio: float | None


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


def measure_overhead(case: Case, steps: int) -> Overhead:
    """Time ``infer`` with clocks inside, in turns with the other ways to call the same library, if any."""
    engine = case.load(1)
    other_ways = {"bound": _bound(engine)} | by_hand(engine)  # before the clocks are inside
    clock = CallClock(_library_of(engine))
    infer = infer_picture(EngineBackend(case.name, engine))
    inside: list[float] = []

    def timed_inside() -> None:
        clock.took_s = 0.0
        infer()
        inside.append(clock.took_s)

    ways = {"infer": timed_inside} | {name: way for name, way in other_ways.items() if way is not None}
    took = in_turns(ways, WARM_UP + steps)
    whole = took["infer"]
    pairs = list(zip(whole, inside, strict=True))[WARM_UP:]

    def to(name: str) -> float | None:
        """Of ``infer`` to another way, in the same turn."""
        if name not in took:
            return None
        return statistics.median(a / b for a, b in list(zip(whole, took[name], strict=True))[WARM_UP:])

    of_bound = to("bound")
    return Overhead(
        case.name,
        case.library,
        infer_us=1e6 * statistics.median(took for took, _ in pairs),
        library_us=1e6 * statistics.median(took for _, took in pairs),
        overhead_us=1e6 * statistics.median(a - b for a, b in pairs),
        ratio=statistics.median(a / b for a, b in pairs),
        bound_ratio=None if of_bound is None else 1 / of_bound,
        by_hand_ratio=to("new arrays"),
        by_hand_kept_ratio=to("kept arrays"),
    )


def in_turns(ways: Mapping[str, Callable[[], object]], steps: int) -> dict[str, list[float]]:
    """Seconds of each way in each step; who begins goes round, since what comes first finds other caches."""
    took: dict[str, list[float]] = {name: [] for name in ways}
    order = list(ways)
    for _ in range(steps):
        for name in order:
            began = time.perf_counter()
            ways[name]()
            took[name].append(time.perf_counter() - began)
        order.append(order.pop(0))
    return took


def _library_of(engine: Engine) -> list[tuple[Any, str]]:
    """Where the library's functions are that an engine calls."""
    # The clock goes inside.
    if isinstance(engine, TFLiteEngine):
        return [(engine._interpreter, name) for name in TFLITE_CALLS]  # noqa: SLF001
    if isinstance(engine, OnnxEngine):
        return [(engine._session, "run")]  # noqa: SLF001
    if isinstance(engine, TensorRtEngine):
        session = engine._session  # noqa: SLF001
        launch = (session, "_enqueue") if session._graph is None else (session._graph, "launch")  # noqa: SLF001
        return [launch, (session._cuda, "synchronize")]  # noqa: SLF001
    raise TypeError(type(engine).__name__)


def _bound(engine: Engine) -> Callable[[], object] | None:
    """The same session run through ``io_binding``, with all that a backend would have to do for it."""
    if not isinstance(engine, OnnxEngine):
        return None
    import onnxruntime

    input_name = engine.inputs[0].name
    session = engine._session  # noqa: SLF001 - as a backend could have it
    binding = session.io_binding()
    outputs = {}
    for spec in engine.outputs:
        value = onnxruntime.OrtValue.ortvalue_from_shape_and_type(list(spec.shape), np.float32)
        binding.bind_ortvalue_output(spec.name, value)
        outputs[spec.name] = value

    def run() -> dict[str, Array]:
        binding.bind_cpu_input(input_name, PICTURE)
        session.run_with_iobinding(binding)
        return {name: value.numpy() for name, value in outputs.items()}

    return run

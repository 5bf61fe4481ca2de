"""What a backend's ``infer`` takes beside the library's own calls that it contains: for `backends.py`."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from backend_cases import PICTURE, WARM_UP, Case, infer_picture

from edge_sdk.contract.values import Array
from edge_sdk.inference.engine import Engine, EngineBackend
from edge_sdk.inference.onnx import OnnxEngine
from edge_sdk.inference.tensorrt.engine import TensorRtEngine
from edge_sdk.inference.tflite import TFLiteEngine

__all__ = ["AIM", "Overhead", "measure_overhead"]

AIM = 1.02
_TFLITE_CALLS = ("set_tensor", "invoke", "get_tensor")


class Overhead(NamedTuple):
    """One case; medians, in microseconds.

    Attributes:
        ratio: Of ``infer`` to the library's calls inside it.
        bound_ratio: Of ONNX Runtime's ``io_binding`` to ``infer``.
        by_hand_ratio: Of ``infer`` to the least that a caller of a quantized TFLite model writes who has
            real numbers: quantization in NumPy, the library's calls, and back.
    """

    model: str
    library: str
    infer_us: float
    library_us: float
    overhead_us: float
    ratio: float
    bound_ratio: float | None
    by_hand_ratio: float | None


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
    """Time ``infer`` with clocks inside, in turns with the other way to call the same library, if any."""
    engine = case.load(1)
    bound, by_hand = _bound(engine), _by_hand(engine)  # before the clocks are inside
    other_way = bound or by_hand
    clock = CallClock(_library_of(engine))
    infer = infer_picture(EngineBackend(case.name, engine))
    whole: list[float] = []
    inside: list[float] = []
    otherwise: list[float] = []

    def ours() -> None:
        clock.took_s = 0.0
        whole.append(_seconds(infer))
        inside.append(clock.took_s)

    def theirs() -> None:
        if other_way is not None:
            otherwise.append(_seconds(other_way))

    for step in range(WARM_UP + steps):
        for call in (ours, theirs) if step % 2 else (theirs, ours):
            call()
    pairs = list(zip(whole, inside, strict=True))[WARM_UP:]
    to_other = list(zip(whole, otherwise, strict=True))[WARM_UP:] if otherwise else []
    return Overhead(
        case.name,
        case.library,
        infer_us=1e6 * statistics.median(took for took, _ in pairs),
        library_us=1e6 * statistics.median(took for _, took in pairs),
        overhead_us=1e6 * statistics.median(a - b for a, b in pairs),
        ratio=statistics.median(a / b for a, b in pairs),
        bound_ratio=statistics.median(b / a for a, b in to_other) if bound else None,
        by_hand_ratio=statistics.median(a / b for a, b in to_other) if by_hand else None,
    )


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


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


def _by_hand(engine: Engine) -> Callable[[], object] | None:
    """The same interpreter called with real numbers for a model that takes and gives quantized ones."""
    if not isinstance(engine, TFLiteEngine):
        return None
    interpreter = engine._interpreter  # noqa: SLF001 - as its caller would have it
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
    (scale, zero_point), (given_scale, given_zero_point) = taken["quantization"], given["quantization"]
    if not scale or not given_scale:
        return None
    limits = np.iinfo(taken["dtype"])
    set_tensor, invoke, get_tensor = (getattr(interpreter, name) for name in _TFLITE_CALLS)

    def run() -> Array:
        steps = np.round(PICTURE / np.float32(scale)) + np.float32(zero_point)
        set_tensor(taken["index"], np.clip(steps, limits.min, limits.max).astype(taken["dtype"]))
        invoke()
        real: Array = get_tensor(given["index"]).astype(np.float32) - np.float32(given_zero_point)
        real *= np.float32(given_scale)
        return real

    return run

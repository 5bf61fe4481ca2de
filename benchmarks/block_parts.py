"""Where the time goes in a step of ``block_to_payload.py``, part by part.

    python benchmarks/block_parts.py [--steps N] [--json]

Every part is timed where it is called, without what it calls of the others; each costs a fraction of a
microsecond more for that. The second column is of the same steps with the engine's ``invoke`` left out:
what the SDK takes where no model has pushed its code and its memory out of the processor's caches.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy loads

import numpy as np
from block_to_payload import BLOCK_S, EPOCH, WARM_UP, Device, assemble
from yamnet import RATE_HZ, STEP_SAMPLES, WINDOW_SAMPLES, noise, update_rule

from device.stamper import Stamper
from edge_sdk.contract.messages import encode_message
from edge_sdk.contract.values import AudioBlock
from edge_sdk.decode.event_rule import EventRules
from edge_sdk.inference import scorer
from edge_sdk.inference.engine import EngineBackend
from edge_sdk.signal import mel_frames
from edge_sdk.signal.level import SlidingLevel
from edge_sdk.signal.sliding import SlidingLogMel

INVOKE = "the engine's invoke"
REST = "the rest: pipeline, positions, scores by label"
TRANSFORM = "Fourier transform (numpy.fft.rfft)"


class Parts:
    """Adds up the time of each part of a step."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._of_others = [0.0]  # for each call under way, what it called of other parts

    def timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, with its own time counted as of this part."""

        def call(*arguments: Any, **named: Any) -> Any:
            self._of_others.append(0.0)
            began = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                took = time.perf_counter() - began
                self.seconds[part] += took - self._of_others.pop()
                self._of_others[-1] += took

        return call

    def within(self, part: str, owner: Any, name: str) -> None:
        """Time what all callers find under that name."""
        setattr(owner, name, self.timed(part, getattr(owner, name)))


def instrument() -> Parts:
    """Time the parts that every device is made of."""
    parts = Parts()
    parts.within("check that all samples are finite", scorer, "_require_finite")
    parts.within("window: samples in, features out", SlidingLogMel, "push")
    parts.within("level of the window", SlidingLevel, "dbfs")
    parts.within("frames times Hann window", mel_frames.MelFrames, "load")
    parts.within(TRANSFORM, np.fft, "rfft")
    parts.within("magnitudes and mel filters", mel_frames.MelFrames, "_mel")
    parts.within("logarithm", mel_frames, "_take_logarithm")
    parts.within("tensors in and out of the engine, checked", EngineBackend, "infer")
    parts.within("521 scores, checked", scorer, "decode_classes")
    parts.within("event rule", EventRules, "push")
    parts.within("alert: id, times, clock", Stamper, "alert")
    return parts


def measure(parts: Parts, steps: int, *, run_model: bool) -> dict[str, float]:
    """Median microseconds of each part, with an alert at every step."""
    device = assemble(update_rule())
    interpreter = device.engine._interpreter  # noqa: SLF001 - the clock goes inside
    interpreter.invoke = parts.timed(INVOKE, interpreter.invoke if run_model else lambda: None)
    encode = parts.timed("payload: JSON", encode_message)
    step = parts.timed(REST, lambda block, seq: _step(device, encode, block, seq))
    samples = noise(round(BLOCK_S * RATE_HZ))
    taken: list[dict[str, float]] = []
    for seq in range(1, WARM_UP + steps + 1):
        parts.seconds.clear()
        step(AudioBlock(samples.copy(), RATE_HZ), seq)
        if seq > WARM_UP:
            taken.append(dict(parts.seconds))
    return {part: 1e6 * statistics.median(one[part] for one in taken) for part in taken[0]}


def _step(device: Device, encode: Callable[..., bytes], block: AudioBlock, seq: int) -> None:
    for event in device.pipeline.push(block):
        encode(device.stamper.alert(event)(EPOCH, seq))


def _print_table(running: dict[str, float], warm: dict[str, float]) -> None:
    print("YAMNet, int8 inside, TFLite, one thread")
    print(f"{RATE_HZ} Hz, window {WINDOW_SAMPLES} and step {STEP_SAMPLES} samples, an alert at every step")
    print(f"{'median µs of each part':46}  in use  without invoke")
    for part in sorted(running, key=lambda part: -running[part]):
        print(f"{part:46}  {running[part]:6.1f}  {warm[part]:14.1f}")
    own = [sum(taken.values()) - taken[INVOKE] for taken in (running, warm)]
    print(f"{'all but invoke':46}  {own[0]:6.1f}  {own[1]:14.1f}")


def main() -> None:
    """Measure with the model and without."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=600, help="steps for each column of the table")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    arguments = parser.parse_args()
    steps = max(1, arguments.steps)
    parts = instrument()
    running = measure(parts, steps, run_model=True)
    warm = measure(parts, steps, run_model=False)
    if not arguments.json:
        _print_table(running, warm)
        return
    report = {
        "benchmark": "block_parts",
        "model": "yamnet",
        "threads": 1,
        "sample_rate_hz": RATE_HZ,
        "window_samples": WINDOW_SAMPLES,
        "step_samples": STEP_SAMPLES,
        "steps": steps,
        "parts_us": running,
        "without_invoke_us": warm,
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()

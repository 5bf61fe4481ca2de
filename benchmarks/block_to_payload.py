"""From a block of 0.25 s of sound to the bytes of an alert, against the engine call inside that step.

    python benchmarks/block_to_payload.py [--steps N] [--json]

YAMNet on one thread. Each step takes one block through resampling, log-mel, model, decoding, event
rule and stamper to JSON, and gives one ratio: the whole step to the bare ``invoke()`` that it
contains. The table shows medians.

An alert at every step is the worst case: a rule tells an event when it begins, at each
``update_every`` and when it ends. Hence each rate has two lines, one with an alert at every step,
and one with the same rule where nothing is heard.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from datetime import datetime, timezone
from typing import Any, NamedTuple

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy loads

import msgspec
from yamnet import (
    AUDIO,
    CHAINSAW,
    OUTPUT,
    RATE_HZ,
    STEP_SAMPLES,
    WINDOW_SAMPLES,
    labels,
    model_path,
    noise,
    update_rule,
)

from device.pipeline import Pipeline
from device.stamper import Stamper
from edge_sdk.contract.manifest import Rule
from edge_sdk.contract.messages import ModelReference, encode_message
from edge_sdk.contract.topics import Topics
from edge_sdk.contract.values import AudioBlock
from edge_sdk.inference.engine import EngineBackend
from edge_sdk.inference.scorer import AudioScorer
from edge_sdk.inference.tflite import TFLiteEngine

BLOCK_S = 0.25
AIM = 1.25
WARM_UP = 20
EPOCH = "0" * 16


class Result(NamedTuple):
    """One line of the table."""

    source_rate_hz: int
    alert_at_every_step: bool
    step_us: float
    invoke_us: float
    overhead_us: float
    ratio: float
    payload_bytes: int


class InvokeClock:
    """Puts itself in the place of an interpreter's ``invoke``, and notes how long each call takes."""

    def __init__(self, interpreter: Any) -> None:
        self._invoke = interpreter.invoke
        interpreter.invoke = self  # all other calls go straight to the engine, as on a device
        self.invoke_s = 0.0
        self.invokes = 0

    def __call__(self) -> None:
        """Run the model."""
        began = time.perf_counter()
        self._invoke()
        self.invoke_s += time.perf_counter() - began
        self.invokes += 1


class Device(NamedTuple):
    """What a block goes through. A step pushes it, and stamps and encodes the events that come of it."""

    engine: TFLiteEngine
    pipeline: Pipeline
    stamper: Stamper


def assemble(rule: Rule) -> Device:
    """A device that listens for one label with YAMNet."""
    engine = TFLiteEngine(model_path().read_bytes(), threads=1, reference_kernels=False, name="yamnet")
    backend = EngineBackend("yamnet", engine)
    scorer = AudioScorer(AUDIO, OUTPUT, [label.id for label in labels()], backend)
    model = ModelReference(name="yamnet", version="1.0.0", variant="tflite", sha256="0" * 64)
    stamper = Stamper(Topics("site", "device"), source="noise", rate_hz=RATE_HZ, model=model)
    stamper.start(datetime.now(timezone.utc), "system")
    return Device(engine, Pipeline(scorer, {CHAINSAW: rule}), stamper)


def measure(source_rate_hz: int, rule: Rule, steps: int) -> Result:
    """Time so many steps on sound of one rate."""
    engine, pipeline, stamper = assemble(rule)
    clock = InvokeClock(engine._interpreter)  # noqa: SLF001 - the clock goes inside
    samples = noise(round(BLOCK_S * source_rate_hz))
    ratios, step_times, invoke_times, payload = [], [], [], b""
    for seq in range(1, WARM_UP + steps + 1):
        clock.invoke_s, clock.invokes = 0.0, 0
        block = AudioBlock(samples.copy(), source_rate_hz)
        began = time.perf_counter()
        for event in pipeline.push(block):
            payload = encode_message(stamper.alert(event)(EPOCH, seq))
        step_s = time.perf_counter() - began
        if seq > WARM_UP and clock.invokes == 1:
            ratios.append(step_s / clock.invoke_s)
            step_times.append(step_s)
            invoke_times.append(clock.invoke_s)
    return Result(
        source_rate_hz,
        alert_at_every_step=bool(payload),
        step_us=1e6 * statistics.median(step_times),
        invoke_us=1e6 * statistics.median(invoke_times),
        overhead_us=1e6 * statistics.median(a - b for a, b in zip(step_times, invoke_times, strict=True)),
        ratio=statistics.median(ratios),
        payload_bytes=len(payload),
    )


def _print_table(results: list[Result]) -> None:
    print("YAMNet, int8 inside, TFLite, one thread")
    print(f"{RATE_HZ} Hz, window {WINDOW_SAMPLES} and step {STEP_SAMPLES} samples")
    print(f"a block of {BLOCK_S} s to the payload of an alert; medians in µs; aim: ratio at most {AIM}")
    print(f"{'source':>9}  {'step':>7}  {'invoke':>7}  {'overhead':>8}  {'ratio':>5}  payload")
    for line in results:
        payload = f"{line.payload_bytes} bytes" if line.alert_at_every_step else "none, nothing is heard"
        print(
            f"{line.source_rate_hz:6} Hz  {line.step_us:7.0f}  {line.invoke_us:7.0f}  "
            f"{line.overhead_us:8.0f}  {line.ratio:5.2f}  {payload}"
        )


def main() -> None:
    """Measure at the model's own rate, and at the rate of most microphones."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=400, help="steps for each line of the table")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    arguments = parser.parse_args()
    every_step = update_rule()
    never = msgspec.structs.replace(every_step, threshold=1.0)
    results = [
        measure(rate_hz, rule, max(1, arguments.steps))
        for rate_hz in (RATE_HZ, 48_000)
        for rule in (every_step, never)
    ]
    if arguments.json:
        report = {
            "benchmark": "block_to_payload",
            "model": "yamnet",
            "threads": 1,
            "sample_rate_hz": RATE_HZ,
            "window_samples": WINDOW_SAMPLES,
            "step_samples": STEP_SAMPLES,
            "block_s": BLOCK_S,
            "steps": max(1, arguments.steps),
            "results": [line._asdict() for line in results],
        }
        print(json.dumps(report, indent=2))
    else:
        _print_table(results)


if __name__ == "__main__":
    main()

"""Sliding log-mel windows against computing each window in full, by librosa and by ourselves.

    python benchmarks/log_mel.py [--rounds N] [--json]

A round computes the same consecutive windows in each way, one after the other in turning
order, and gives one ratio; the table shows the median of the rounds' ratios, and median
microseconds per window. Everything runs on one thread, and its CPU time is what counts.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import NamedTuple

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy loads

import librosa
import numpy as np

from edge_sdk.contract.audio import LogMel
from edge_sdk.contract.values import Float32Array
from edge_sdk.signal.log_mel import LogMelExtractor
from edge_sdk.signal.sliding import SlidingLogMel

WINDOWS_PER_ROUND = 8
WINDOW_S = 1.0
STEP_S = 0.25
AIM_TO_LIBROSA = 0.10
AIM_TO_OUR_OWN = 0.45
SIZES = [(16_000, 512, 160, 64), (22_050, 2048, 512, 128), (32_000, 1024, 320, 64), (48_000, 2048, 512, 128)]


class Result(NamedTuple):
    """One line of the table."""

    sample_rate_hz: int
    n_fft: int
    hop: int
    n_mels: int
    center: bool
    window_samples: int
    step_samples: int
    sliding_us: float
    one_shot_us: float
    librosa_us: float
    ratio_to_librosa: float
    ratio_to_one_shot: float


def measure(front_end: LogMel, rounds: int) -> Result:
    """Time one front end in all three ways."""
    rate = front_end.sample_rate_hz
    window = round(WINDOW_S * rate)
    step = round(STEP_S * rate / front_end.hop) * front_end.hop  # the nearest multiple of the hop
    sound = _noise(window + WINDOWS_PER_ROUND * step)
    ways = [_slide(front_end, sound, window, step), *_recompute(front_end, sound, window, step)]
    for way in ways:
        way()  # caches, lazy imports, librosa's just-in-time compiler
    times = np.empty((rounds, len(ways)))
    for turn in range(rounds):
        for offset in range(len(ways)):
            index = (turn + offset) % len(ways)
            times[turn, index] = ways[index]() / WINDOWS_PER_ROUND
    sliding, one_shot, by_librosa = (list(column) for column in times.T)
    return Result(
        rate,
        front_end.n_fft,
        front_end.hop,
        front_end.n_mels,
        front_end.center,
        window,
        step,
        sliding_us=1e6 * statistics.median(sliding),
        one_shot_us=1e6 * statistics.median(one_shot),
        librosa_us=1e6 * statistics.median(by_librosa),
        ratio_to_librosa=statistics.median(a / b for a, b in zip(sliding, by_librosa, strict=True)),
        ratio_to_one_shot=statistics.median(a / b for a, b in zip(sliding, one_shot, strict=True)),
    )


def _slide(front_end: LogMel, sound: Float32Array, window: int, step: int) -> Callable[[], float]:
    """CPU seconds to stream a round's windows, one step of samples at a time."""
    sliding = SlidingLogMel(front_end, window, step)

    def seconds() -> float:
        sliding.reset(0)
        sliding.push(sound[:window])
        began = time.thread_time()
        for start in range(window, len(sound), step):
            sliding.push(sound[start : start + step])
        return time.thread_time() - began

    return seconds


def _recompute(
    front_end: LogMel, sound: Float32Array, window: int, step: int
) -> tuple[Callable[[], float], Callable[[], float]]:
    """CPU seconds to compute the same windows each in full: by us, and by librosa."""
    windows = [sound[start : start + window] for start in range(step, len(sound) - window + 1, step)]

    def by_librosa(samples: Float32Array) -> Float32Array:
        power = librosa.feature.melspectrogram(
            y=samples,
            sr=front_end.sample_rate_hz,
            n_fft=front_end.n_fft,
            hop_length=front_end.hop,
            n_mels=front_end.n_mels,
            center=front_end.center,
        )
        db: Float32Array = librosa.power_to_db(power)
        return db

    def timed(features: Callable[[Float32Array], Float32Array]) -> Callable[[], float]:
        def seconds() -> float:
            began = time.thread_time()
            for samples in windows:
                features(samples)
            return time.thread_time() - began

        return seconds

    return timed(LogMelExtractor(front_end)), timed(by_librosa)


def _noise(samples: int) -> Float32Array:
    return (0.1 * np.random.default_rng(0).standard_normal(samples)).astype(np.float32)


def _front_end(rate: int, n_fft: int, hop: int, n_mels: int, *, center: bool) -> LogMel:
    return LogMel(
        sample_rate_hz=rate,
        n_fft=n_fft,
        win_length=n_fft,
        hop=hop,
        n_mels=n_mels,
        fmin_hz=0.0,
        fmax_hz=rate / 2,
        center=center,
    )


def _print_table(results: list[Result]) -> None:
    print(f"log-mel on one thread, NumPy {np.__version__}, librosa {version('librosa')}")
    print("window and step in samples; median µs of CPU per window; ratios of sliding to full recomputation,")
    print(f"aims: {AIM_TO_LIBROSA:.2f} to librosa, {AIM_TO_OUR_OWN:.2f} to our own")
    heads = ("rate_hz", "n_fft/hop/mels", "center", "window", "step", "sliding", "one_shot", "librosa")
    print("{:>7}  {:14}  {:6}  {:>6}  {:>6}  {:>7}  {:>8}  {:>7}  to librosa  to our own".format(*heads))
    for line in results:
        size = f"{line.n_fft}/{line.hop}/{line.n_mels}"
        what = f"{line.sample_rate_hz:7}  {size:14}  {line.center!s:6}"
        samples = f"{line.window_samples:6}  {line.step_samples:6}"
        times = f"{line.sliding_us:7.0f}  {line.one_shot_us:8.0f}  {line.librosa_us:7.0f}"
        ratios = f"{line.ratio_to_librosa:10.3f}  {line.ratio_to_one_shot:10.3f}"
        print(what, samples, times, ratios, sep="  ")


def main() -> None:
    """Measure all sizes, with and without centred frames."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=60, help="rounds for each line of the table")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    arguments = parser.parse_args()
    results = [
        measure(_front_end(*size, center=center), max(1, arguments.rounds))
        for size in SIZES
        for center in (True, False)
    ]
    if arguments.json:
        report = {
            "benchmark": "log_mel",
            "threads": 1,
            "numpy": np.__version__,
            "librosa": version("librosa"),
            "rounds": max(1, arguments.rounds),
            "windows_per_round": WINDOWS_PER_ROUND,
            "results": [line._asdict() for line in results],
        }
        print(json.dumps(report, indent=2))
    else:
        _print_table(results)


if __name__ == "__main__":
    main()

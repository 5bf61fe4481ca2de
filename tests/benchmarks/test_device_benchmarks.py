"""The device's benchmarks run and report what their documentation names."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def report_of(project: Path, *words: str) -> dict[str, Any]:
    command = [sys.executable, *words, "--json"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True)
    report: dict[str, Any] = json.loads(done.stdout)
    assert (report["model"], report["sample_rate_hz"]) == ("yamnet", 16_000)
    assert (report["window_samples"], report["step_samples"], report["threads"]) == (15_600, 4_000, 1)
    return report


@pytest.mark.usefixtures("shared_data")
def test_a_block_becomes_a_payload_at_both_rates(project: Path) -> None:
    report = report_of(project, "benchmarks/block_to_payload.py", "--steps", "3")
    lines = [(line["source_rate_hz"], line["alert_at_every_step"]) for line in report["results"]]
    assert lines == [(16_000, True), (16_000, False), (48_000, True), (48_000, False)]
    for line in report["results"]:
        assert line["ratio"] > 1
        assert line["overhead_us"] > 0
        expected = range(100, 8 * 1024) if line["alert_at_every_step"] else [0]
        assert line["payload_bytes"] in expected


@pytest.mark.usefixtures("shared_data")
def test_start_up_is_compared_with_the_bare_engine(project: Path) -> None:
    report = report_of(project, "benchmarks/start_up.py", "--rounds", "1")
    assert report["ratio_time"] == pytest.approx(report["pipeline_s"] / report["engine_s"])
    assert report["ratio_memory"] == pytest.approx(
        report["pipeline_peak_bytes"] / report["engine_peak_bytes"]
    )


@pytest.mark.usefixtures("shared_data")
def test_the_parts_of_a_step_are_told_with_the_model_and_without(project: Path) -> None:
    report = report_of(project, "benchmarks/block_parts.py", "--steps", "3")
    running, without = report["parts_us"], report["without_invoke_us"]
    assert set(running) == set(without)
    assert all(taken > 0 for taken in running.values())
    assert running["the engine's invoke"] > without["the engine's invoke"]
    assert "Fourier transform (numpy.fft.rfft)" in running

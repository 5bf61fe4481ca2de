"""The log-mel benchmark runs and reports what its documentation names."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


def test_reports_every_size_with_ratios_and_times(project: Path) -> None:
    command = [sys.executable, "benchmarks/log_mel.py", "--rounds", "1", "--json"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    sizes = {(line["sample_rate_hz"], line["center"]) for line in report["results"]}
    assert sizes == {(rate, center) for rate in (16_000, 22_050, 32_000, 48_000) for center in (True, False)}
    for line in report["results"]:
        assert line["step_samples"] % line["hop"] == 0
        assert min(line["sliding_us"], line["one_shot_us"], line["librosa_us"]) > 0
        assert line["ratio_to_librosa"] == pytest.approx(line["sliding_us"] / line["librosa_us"])

"""The outbox benchmark runs and reports what its documentation names."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_reports_each_burst_with_ratio_and_times(project: Path) -> None:
    command = [sys.executable, "benchmarks/outbox.py", "--rounds", "1", "--json"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    assert report["injected_sync_s"] == 0.004
    assert [line["burst"] for line in report["results"]] == [10, 100]
    for line in report["results"]:
        assert line["one_by_one_ms"] >= line["burst"] * 4
        assert line["grouped_ms"] >= 4
        assert line["ratio"] > 0
        assert min(line["put_alone_us"], line["put_in_burst_us"]) > 0

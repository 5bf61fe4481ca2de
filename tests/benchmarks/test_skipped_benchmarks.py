"""A benchmark whose model is absent says so, and is told apart from one that failed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("script", ["block_to_payload.py", "start_up.py"])
def test_a_benchmark_without_its_model_is_skipped_and_says_why(
    script: str, project: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, str(project / "benchmarks" / script)],
        env={**os.environ, "EDGE_SDK_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 77
    assert f"skipped: there is no {tmp_path}" in done.stderr
    assert done.stdout == ""

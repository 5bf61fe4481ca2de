"""Where TensorRT-RTX has to be installed, tests that need it fail without it rather than skip."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_HIDING = 'import sys\nsys.modules.update(dict.fromkeys(("tensorrt_rtx", "tensorrt_rtx_bindings")))\n'
_TEST = """
from rtx_build import tensorrt_rtx

def test_it() -> None:
    tensorrt_rtx()
"""


@pytest.mark.parametrize(("required", "outcome"), [("", "1 skipped"), ("1", "1 failed")])
def test_without_tensorrt_rtx_a_test_skips_or_fails_where_it_is_required(
    project: Path, tmp_path: Path, required: str, outcome: str
) -> None:
    (tmp_path / "hiding.py").write_text(_HIDING)
    (tmp_path / "conftest.py").write_text((project / "tests/conftest.py").read_text())
    (tmp_path / "test_it.py").write_text(_TEST)
    search_path = os.pathsep.join([str(tmp_path), str(project / "tests/support")])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "hiding", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": search_path, "EDGE_SDK_REQUIRE_RTX": required},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome in done.stdout
    assert "TensorRT-RTX is not installed" in done.stdout or not required

"""A box in the forest tells nobody what it runs: ONNX Runtime's own reporting stays off."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from tiny_models import tiny_onnx

PROGRAM = """
import sys
from pathlib import Path
from edge_sdk.inference.open import open_backend
with open_backend(Path(sys.argv[1]).read_bytes(), "onnx") as backend:
    print(backend.outputs[0].name)
"""


def test_running_a_model_leaves_no_device_id_and_no_queue_of_reports(tmp_path: Path) -> None:
    weights = np.zeros((2, 4), dtype=np.float32)
    (tmp_path / "tiny.onnx").write_bytes(tiny_onnx(weights, np.zeros(2, dtype=np.float32), (1, 4)))
    home = tmp_path / "home"
    home.mkdir()
    # ONNX Runtime reports nothing where it believes to be tested; here it must not be because of that.
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    places = {name: str(home) for name in ("HOME", "XDG_CACHE_HOME", "TMPDIR")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "tiny.onnx")],
        env=kept | places | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "scores\n"
    assert [path for path in home.rglob("*") if path.is_file()] == []

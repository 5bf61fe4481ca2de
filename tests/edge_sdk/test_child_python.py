"""A process of our own runs our module, whatever lies in the current folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edge_sdk import child_python
from edge_sdk.child_python import module_command


@pytest.fixture(params=["as this Python has it", "as Python 3.10 has it"])
def command(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    if request.param == "as Python 3.10 has it":
        older = type("OlderPython", (), {"version_info": (3, 10), "executable": sys.executable})
        monkeypatch.setattr(child_python, "sys", older)
    return module_command("edge_sdk.cli", "--version")


def test_a_module_is_run_with_its_arguments(command: list[str], tmp_path: Path) -> None:
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("edge-sdk ")


def test_a_file_of_the_current_folder_is_not_imported_in_its_place(
    command: list[str], tmp_path: Path
) -> None:
    (tmp_path / "edge_sdk.py").write_text("raise SystemExit('the wrong edge_sdk')")
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr

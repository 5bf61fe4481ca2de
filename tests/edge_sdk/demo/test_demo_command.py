"""The demo's exit code is its verdict, and it leaves no process behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edge_sdk.cli.main import main
from edge_sdk.demo import demo_command

_SERVE = """
import signal, sys
from edge_sdk.demo.broker import EmbeddedBroker
from edge_sdk.demo.termination import leave_on_signals
with leave_on_signals(), EmbeddedBroker() as broker:
    print(broker.pid, flush=True)
    signal.pause()
"""


class StagedDemonstration:
    """Stands in for the minutes that the real one takes."""

    passed = True

    def __init__(self, folder: Path, *, quiet: bool) -> None:
        self.folder = folder

    def run(self, *, keep: bool) -> dict[str, Any]:
        return {"passed": self.passed, "folder": str(self.folder)}


@pytest.mark.parametrize("code", [0, 1])
def test_the_verdict_is_the_exit_code(
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    passed = code == 0
    monkeypatch.setattr(demo_command, "Demonstration", StagedDemonstration)
    monkeypatch.setattr(StagedDemonstration, "passed", passed)
    assert main(["demo", "--output", str(tmp_path / "out"), "--json"]) == code
    assert json.loads(capsys.readouterr().out) == {"passed": passed, "folder": str(tmp_path / "out")}


def test_a_folder_that_cannot_be_made_is_wrong_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert main(["demo", "--output", str(tmp_path / "file" / "out")]) == 2
    assert "cannot make the folder" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_broker_ends_with_the_demo(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", _SERVE], stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        broker = int(demo.stdout.readline())
        os.kill(broker, 0)  # it runs
        demo.send_signal(number)
        assert demo.wait(120) == 128 + number
    with pytest.raises(ProcessLookupError):
        os.kill(broker, 0)

"""The demo's conversion shares a process with the base's builder, and outlives neither failure nor demo."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edge_sdk.demo.children import ConvertChild
from edge_sdk.errors import EdgeSdkError

_WRITES = """
from pathlib import Path
def main(arguments):
    print("built")
    Path(arguments[0]).write_text("base")
    return 0
"""
_FAILS = "main = lambda arguments: 3"
_DEMO = """
import sys
from pathlib import Path
from edge_sdk.demo.children import ConvertChild
from edge_sdk.demo.termination import leave_on_signals
base = Path(sys.argv[1])
with leave_on_signals(), ConvertChild("builder", base.parent, base, quiet=False):
    print("ready", flush=True)
    sys.stdin.read()
"""
_NEVER_DONE = """
import signal
def main(arguments):
    signal.pause()
"""


def child_of(builder: str, folder: Path, *, quiet: bool = False) -> ConvertChild:
    (folder / "builder.py").write_text(builder, encoding="utf-8")
    return ConvertChild("builder", folder, folder / "base.keras", quiet=quiet)


def test_the_base_is_built_and_then_the_verb_gets_its_arguments(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with child_of(_WRITES, tmp_path) as child:
        child.convert(["--help"])
    shown = capfd.readouterr()
    assert (tmp_path / "base.keras").read_text(encoding="utf-8") == "base"
    assert shown.out.startswith("usage: edge-sdk convert")
    assert shown.err == "built\n"


def test_quiet_leaves_standard_output_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with child_of(_WRITES, tmp_path, quiet=True) as child:
        child.convert(["--help"])
    shown = capfd.readouterr()
    assert shown.out == ""
    assert "usage: edge-sdk convert" in shown.err


def test_a_conversion_that_fails_is_an_error(tmp_path: Path) -> None:
    with child_of(_WRITES, tmp_path) as child, pytest.raises(EdgeSdkError, match="exit code 2"):
        child.convert(["--no-such-option"])


def test_a_base_that_cannot_be_built_is_an_error_and_nothing_is_converted(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with child_of(_FAILS, tmp_path) as child, pytest.raises(EdgeSdkError, match="exit code 3"):
        child.convert(["--help"])
    assert capfd.readouterr().out == ""


def test_it_ends_with_what_was_to_use_it(tmp_path: Path) -> None:
    with child_of(_NEVER_DONE, tmp_path) as child:
        assert child.is_running
    assert not child.is_running


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_it_converts_nothing_when_the_demo_is_ended_before(number: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "builder.py").write_text(_WRITES, encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "-c", _DEMO, str(tmp_path / "base.keras")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        assert demo.stdout.readline() == "ready\n"
        demo.send_signal(number)
        # The child has this pipe too: it closes when both have ended.
        assert "usage" not in demo.stdout.read()

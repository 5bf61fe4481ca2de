"""The demo's conversions share a process with the models' builders, and outlive neither failure nor demo."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edge_sdk.demo.children import ConvertChild, ask
from edge_sdk.errors import EdgeSdkError

# The model is text, so the verb's work is put in its place; its arguments are parsed as ever.
_WRITES = """
from pathlib import Path
from converters import convert_command
def convert(arguments):
    print("converting", arguments.model)
    return 0
convert_command.run = convert
def main(arguments):
    print("built")
    Path(arguments[0]).write_text("base")
    return 0
"""
_CHECKS = """
from pathlib import Path
def main(arguments):
    return 0 if Path(arguments[0]).read_text() == "base" and arguments[1:] == ["more"] else 4
"""
_OPTIONS = ["--spec", "spec.toml", "--evaluation", "sounds", "-o", "model.edge"]
_FAILS = "main = lambda arguments: 3"
_DEMO = """
import sys
from pathlib import Path
from edge_sdk.demo.children import ConvertChild
from edge_sdk.demo.termination import leave_on_signals
base = Path(sys.argv[1])
with leave_on_signals(), ConvertChild(base.parent, [["builder", str(base)]], quiet=False):
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
    return ConvertChild(folder, [["builder", str(folder / "base.keras")]], quiet=quiet)


def test_the_base_is_built_and_then_the_verb_gets_its_arguments(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with child_of(_WRITES, tmp_path) as child:
        child.convert(["model", *_OPTIONS])
    shown = capfd.readouterr()
    assert (tmp_path / "base.keras").read_text(encoding="utf-8") == "base"
    assert shown.out == "converting model\n"
    assert shown.err == "built\n"


def test_several_models_are_built_in_order_before_anything_is_converted(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "builder.py").write_text(_WRITES, encoding="utf-8")
    (tmp_path / "checker.py").write_text(_CHECKS, encoding="utf-8")
    base = str(tmp_path / "base.keras")
    with ConvertChild(tmp_path, [["builder", base], ["checker", base, "more"]], quiet=False) as child:
        child.convert(["first", *_OPTIONS])
        assert capfd.readouterr().out == "converting first\n"
        child.convert(["second", *_OPTIONS])
        assert child.is_running
    assert capfd.readouterr().out == "converting second\n"


def test_after_a_conversion_that_failed_none_is_done(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with child_of(_WRITES, tmp_path) as child:
        for options in (["--no-such-option"], ["model", *_OPTIONS]):
            with pytest.raises(EdgeSdkError, match="exit code 2"):
                child.convert(options)
    assert capfd.readouterr().out == ""


def test_quiet_leaves_standard_output_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with child_of(_WRITES, tmp_path, quiet=True) as child:
        child.convert(["model", *_OPTIONS])
    shown = capfd.readouterr()
    assert shown.out == ""
    assert shown.err == "built\nconverting model\n"


def test_a_conversion_that_fails_is_an_error(tmp_path: Path) -> None:
    with child_of(_WRITES, tmp_path) as child, pytest.raises(EdgeSdkError, match="exit code 2"):
        child.convert(["--no-such-option"])


def test_in_the_background_all_it_prints_goes_to_a_file_and_then_to_the_terminal_again(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "convert.log"
    with child_of(_WRITES, tmp_path) as child:
        child.convert(["first", *_OPTIONS], log)
        child.convert(["second", *_OPTIONS], log)
        assert capfd.readouterr().out == ""
        child.convert(["third", *_OPTIONS])
    assert log.read_text(encoding="utf-8") == "converting first\nconverting second\n"
    assert capfd.readouterr().out == "converting third\n"


def test_a_failure_in_the_background_tells_its_last_line_and_names_the_file(tmp_path: Path) -> None:
    log = tmp_path / "convert.log"
    with child_of(_WRITES, tmp_path) as child, pytest.raises(EdgeSdkError, match="--no-such") as failure:
        child.convert(["model", *_OPTIONS, "--no-such-option"], log)
    assert str(log) in str(failure.value.hint)


def test_a_base_that_cannot_be_built_is_an_error_and_nothing_is_converted(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with child_of(_FAILS, tmp_path) as child, pytest.raises(EdgeSdkError, match="exit code 3"):
        child.convert(["model", *_OPTIONS])
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
        assert "converting" not in demo.stdout.read()


def test_what_a_verb_prints_comes_back_and_the_rest_is_logged(tmp_path: Path) -> None:
    assert ask("predict", ["--help"], tmp_path / "log").startswith(b"usage: edge-sdk predict")
    with pytest.raises(EdgeSdkError, match="'edge-sdk predict' failed with exit code 2") as failure:
        ask("predict", ["--top", "none"], tmp_path / "log")
    assert "--top" in (tmp_path / "log").read_text(encoding="utf-8")
    assert str(tmp_path / "log") in str(failure.value.hint)

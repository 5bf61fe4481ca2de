"""The command line finds its verbs, loads nothing heavy before it must, and tells errors twice over."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from example_contract import example_manifest, example_members

import edge_sdk
from edge_sdk.cli.main import main
from edge_sdk.cli.verbs import VERBS
from edge_sdk.contract.bundle import write_bundle
from edge_sdk.errors import EdgeSdkError

# -P keeps the current folder off the search path; Python 3.10 has only -I, which does more.
PYTHON = (sys.executable, "-P" if sys.version_info >= (3, 11) else "-I")


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_leads_to_a_module_that_takes_arguments_and_runs(name: str) -> None:
    module = importlib.import_module(VERBS[name].module)
    parser = argparse.ArgumentParser(prog=name)
    module.add_arguments(parser)
    assert callable(module.run)
    assert parser.format_help()


def test_help_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert all(f"  {name} " in text for name in VERBS)


def test_help_loads_no_engine_and_no_array_library() -> None:
    code = (
        "import sys; from edge_sdk.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'numpy', 'msgspec', 'ai_edge_litert', 'rich'} & set(sys.modules)))"
    )
    run = subprocess.run([*PYTHON, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"


def test_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"edge-sdk {edge_sdk.__version__}\n"


WRONG_USE = [
    ["hear"],
    ["--loud"],
    ["--", "inspect"],
    ["inspect"],
    ["inspect", "a.edge", "--loud"],
    ["run", "a.edge", "--sour", "x.wav"],
]


@pytest.mark.parametrize("arguments", WRONG_USE)
def test_wrong_use_exits_with_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("usage: edge-sdk")
    assert "\nerror: " in captured.err


@pytest.mark.parametrize("arguments", [*WRONG_USE, [], *([name] for name in VERBS if name != "demo")])
def test_wrong_use_is_one_json_object_too(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*arguments[:1], "--json", *arguments[1:]]) == 2
    document = json.loads(capsys.readouterr().out)
    assert (document["error"], set(document)) == ("UsageError", {"error", "message", "hint"})


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["verfy", "a.edge"], "verify"),
        (["verify", "a.edge", "--backend", "tensort"], "tensorrt"),
        (["verify", "a.edge", "--varant=tflite-int8"], "--variant"),
    ],
)
def test_a_misspelt_word_is_told_with_the_nearest_one(
    arguments: list[str], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert f"\nhint: did you mean '{meant}'?" in capsys.readouterr().err


@pytest.mark.parametrize("more", ["b.edge", "-x", "--zzz"])
def test_nothing_is_offered_for_what_is_like_nothing(more: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "a.edge", more]) == 2
    assert "\nhint: 'edge-sdk verify --help' tells more" in capsys.readouterr().err


class Failing(ModuleType):
    """A verb that fails as a defect would, or is interrupted."""

    def __init__(self, error: BaseException) -> None:
        super().__init__("failing_verb")
        self.error = error

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true")

    def run(self, arguments: argparse.Namespace) -> int:
        raise self.error


def failed(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setitem(VERBS, "inspect", dataclasses.replace(VERBS["inspect"], module="failing_verb"))
    monkeypatch.setitem(sys.modules, "failing_verb", Failing(error))
    return main(["inspect", "--json"])


def test_a_defect_is_one_json_object_and_its_trace_is_logged(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert failed(ZeroDivisionError("by what?"), monkeypatch) == 1
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert document["message"] == "ZeroDivisionError: by what?"
    assert "report it" in document["hint"]
    assert "Traceback" in caplog.text
    assert "error: ZeroDivisionError: by what?" in captured.err


def test_an_interruption_is_one_json_object(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failed(KeyboardInterrupt(), monkeypatch) == 130
    assert json.loads(capsys.readouterr().out)["error"] == "KeyboardInterrupt"


def test_an_error_cannot_command_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failed(EdgeSdkError("\x1b[31mevil\udcff", hint="first\nsecond\x07"), monkeypatch) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out.encode("utf-8"))["message"] == "\x1b[31mevil\ufffd"
    assert captured.err == "error: \ufffd[31mevil\ufffd\nhint: first\nsecond\ufffd\n"


def test_a_reader_that_goes_away_is_no_defect(tmp_path: Path) -> None:
    bundle = tmp_path / "example.edge"
    write_bundle(bundle, example_manifest(), example_members())
    reading, writing = os.pipe()
    os.close(reading)
    command = [*PYTHON, "-m", "edge_sdk.cli", "inspect", str(bundle)]
    run = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (run.returncode, run.stderr) == (1, "")


def test_nothing_at_all_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 0
    assert "verbs:" in capsys.readouterr().out


def test_an_error_is_one_json_object_for_programs_and_a_line_for_people(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.edge"
    path.write_bytes(b"no zip")
    assert main(["inspect", str(path), "--json"]) == 1
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert set(document) == {"error", "message", "hint"}
    assert document["error"] == "BundleError"
    assert captured.err.splitlines() == [f"error: {document['message']}", f"hint: {document['hint']}"]


def test_the_module_runs_as_a_program() -> None:
    run = subprocess.run(
        [*PYTHON, "-m", "edge_sdk.cli", "inspect", "none.edge"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert run.stderr.startswith("error: there is no file none.edge")

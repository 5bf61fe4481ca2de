"""The command line finds its verbs, loads nothing heavy before it must, and tells errors twice over."""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

import edge_sdk
from edge_sdk.cli.main import main
from edge_sdk.cli.verbs import VERBS


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
    run = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"


def test_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"edge-sdk {edge_sdk.__version__}\n"


@pytest.mark.parametrize("arguments", [["hear"], ["--loud"], ["inspect"], ["inspect", "a.edge", "--loud"]])
def test_wrong_use_exits_with_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: edge-sdk" in capsys.readouterr().err


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
        [sys.executable, "-P", "-m", "edge_sdk.cli", "inspect", "none.edge"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert run.stderr.startswith("error: there is no file none.edge")

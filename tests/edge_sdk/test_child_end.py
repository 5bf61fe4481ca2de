"""The end of a process is told by what it was, and by the last that it said."""

from __future__ import annotations

import subprocess
import sys

import pytest

from edge_sdk.child_end import how_it_ended, last_lines, was_killed


@pytest.mark.parametrize(
    ("ending", "told"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "ended by SIGSEGV"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "was killed"),
        ("sys.exit(3)", "ended with code 3"),
        ("pass", "ended with code 0"),
    ],
)
def test_a_process_is_told_by_its_end(ending: str, told: str) -> None:
    done = subprocess.run([sys.executable, "-c", f"import os, signal, sys; {ending}"], check=False)
    assert how_it_ended(done.returncode) == told
    assert was_killed(done.returncode) == (told == "was killed")


def test_a_signal_without_a_name_is_a_code() -> None:
    assert how_it_ended(-250) == "ended with code -250"


def test_the_last_lines_are_those_that_say_something() -> None:
    log = b"first\n\n  second  \n\xff" + 400 * b"x" + b"\n\n"
    assert last_lines(log, 2) == ["second", "\N{REPLACEMENT CHARACTER}" + 299 * "x"]
    assert last_lines(b"", 2) == []

from __future__ import annotations

import os

import pytest

from edge_sdk.console.lines import LineWriter


def test_lines_are_written_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    import sys

    LineWriter(sys.stdout)("heard")
    assert capsys.readouterr().out == "heard\n"


def test_a_reader_that_goes_away_is_told_once_and_stops_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        say = LineWriter(stream)
        say("heard")
        say("heard again")
    assert capsys.readouterr().err == "Broken pipe: nothing more is said here, the work goes on\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a disk that is always full")  # noqa: PTH110
def test_a_full_disk_stops_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with open("/dev/full", "w", encoding="utf-8") as stream:  # noqa: PTH123
        LineWriter(stream)("heard")
    assert "No space left" in capsys.readouterr().err

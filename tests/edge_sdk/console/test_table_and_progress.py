from __future__ import annotations

from collections.abc import Iterator

import pytest

from edge_sdk.console.progress import LineProgress, SilentProgress, TerminalProgress, make_progress
from edge_sdk.console.table import text_table


def test_columns_are_as_wide_as_their_widest_cell_and_numbers_stand_right() -> None:
    table = text_table(["variant", "KB"], [["tflite-int8", "12"], ["onnx", "3456"]], numbers=[1])
    assert table.splitlines() == [
        "variant        KB",
        "-----------  ----",
        "tflite-int8    12",
        "onnx         3456",
    ]


def test_a_table_without_rows_is_its_headings() -> None:
    assert text_table(["a", "bc"], []).splitlines() == ["a  bc", "-  --"]


def test_lines_go_to_stderr_and_items_come_through(capsys: pytest.CaptureFixture[str]) -> None:
    def numbers() -> Iterator[int]:
        yield from (1, 2, 3)

    assert list(LineProgress().track(numbers(), "counting")) == [1, 2, 3]
    assert capsys.readouterr() == ("", "counting: 0 of 3\n")


def test_a_line_every_ten_seconds_tells_how_far_a_long_item_is(capsys: pytest.CaptureFixture[str]) -> None:
    now = 0.0
    progress = LineProgress(clock=lambda: now)
    for _ in progress.track(["day", "night"], "hearing"):
        for quarter in range(4):
            now += 4.0
            progress.within(quarter / 4)
    assert capsys.readouterr().err.splitlines() == [
        "hearing: 0 of 2",
        "hearing: 0 of 2, 50% of the next",
        "hearing: 1 of 2, 25% of the next",
    ]


def test_the_bar_moves_within_an_item(capsys: pytest.CaptureFixture[str]) -> None:
    progress = TerminalProgress()
    for item in progress.track(range(2), "counting"):
        progress.within(0.5)
        assert progress._current is not None
        assert progress._current[0].tasks[0].completed == item + 0.5
    assert capsys.readouterr().out == ""


def test_nothing_to_do_is_told_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(LineProgress().track([], "counting")) == []
    assert capsys.readouterr().err == "counting: 0 of 0\n"


def test_the_bar_keeps_stdout_clean(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(TerminalProgress().track(range(3), "counting")) == [0, 1, 2]
    assert capsys.readouterr().out == ""


def test_silence_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    SilentProgress().step("begin")
    assert list(SilentProgress().track([1, 2], "counting")) == [1, 2]
    assert capsys.readouterr() == ("", "")


def test_a_pipe_gets_lines() -> None:
    assert isinstance(make_progress(), LineProgress)

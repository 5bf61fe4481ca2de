"""What others wrote is shown, but commands no terminal and breaks no JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.console.foreign_text import json_text, printable, valid_text
from edge_sdk.console.table import text_table


@pytest.mark.parametrize("text", ["Säge 日本 🌲", "نمی‌خواهم", "a\u00a0b", ""])
def test_letters_of_any_script_stay(text: str) -> None:
    assert printable(text) == valid_text(text) == text


@pytest.mark.parametrize(
    "character", ["\x1b", "\x00", "\x07", "\r", "\x7f", "\x9b", "\u202e", "\u2028", "\udcff"]
)
def test_what_commands_a_terminal_is_replaced(character: str) -> None:
    assert printable(f"a{character}b") == "a\ufffdb"
    assert printable(f"a{character}b", lines=True) == "a\ufffdb"


def test_lines_stay_where_they_are_wanted() -> None:
    assert printable("a\nb", lines=True) == "a\nb"
    assert printable("a\nb") == "a\ufffdb"


def test_a_cell_stays_one_line_of_a_table() -> None:
    assert text_table(["name"], [["a\nb\x1b[31m"]]).splitlines()[2:] == ["a\ufffdb\ufffd[31m"]


@given(st.text(st.characters()))
def test_any_name_is_one_line_of_json(name: str) -> None:
    text = json_text({"file": name})
    assert "\n" not in text
    assert json.loads(text.encode("utf-8")) == {"file": valid_text(name)}

"""What a verb of the command line gave, run in this process with ``--json``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from edge_sdk.cli.main import main

__all__ = ["Done", "Predict", "words_of"]

Predict: TypeAlias = Callable[..., tuple[int, dict[str, Any]]]
"""Runs ``edge-sdk predict`` with these words: its exit code, and its document."""


class Done:
    """A verb's exit code, its document, and what it said beside that."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *words: object) -> None:
        self.code = main([*map(str, words), "--json"])
        shown = capsys.readouterr()
        self.document: dict[str, Any] = json.loads(shown.out)
        self.told = shown.err


def words_of(verb: str, bundle: Path, recording: Path) -> list[object]:
    """The shortest command line of ``verify``, ``bench`` or ``predict`` that does something."""
    more: dict[str, list[object]] = {
        "verify": [],
        "bench": ["--seconds", "0.02", "--threads", "1"],
        "predict": [recording],
    }
    return [verb, bundle, *more[verb]]

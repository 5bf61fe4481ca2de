"""When what does not work is told: at once in the log of `run`, with the outcome by the other verbs."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tiny_bundle import tiny_bundle

from device.model_choice import open_model
from edge_sdk.errors import BackendError, EdgeSdkError
from edge_sdk.inference.options import BackendName
from edge_sdk.inference.tensorrt import open as tensorrt_module

MADE = tiny_bundle(("tflite-float32", "onnx-float32"))
WITHOUT_TFLITE = replace(MADE, members={**MADE.members, "models/tflite-float32.tflite": b"no model"})


class PowerCutError(BaseException):
    """What ends a process while a model is being loaded: nothing after it happens."""


@pytest.fixture(autouse=True)
def without_picks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def opened_until(
    monkeypatch: pytest.MonkeyPatch, ends_with: BaseException, *, tell_at_once: bool
) -> list[str]:
    """What is told where LiteRT refuses the model and loading the next one ends like that."""

    def end(model: bytes, **_: Any) -> None:
        raise ends_with

    monkeypatch.setattr(tensorrt_module, "open_engine", end)
    told: list[str] = []
    with pytest.raises((PowerCutError, EdgeSdkError)):
        open_model(
            WITHOUT_TFLITE.bundle(),
            backends=["tflite", "tensorrt"],
            golden=False,
            say=told.append,
            warn=told.append,
            tell_at_once=tell_at_once,
        )
    return told


def test_a_log_has_the_refusal_also_where_loading_the_next_ends_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = opened_until(monkeypatch, PowerCutError(), tell_at_once=True)
    assert told[0].startswith("tflite-float32 on tflite does not work here: ")


def test_a_verb_leaves_refusals_to_the_error_where_nothing_works(monkeypatch: pytest.MonkeyPatch) -> None:
    assert opened_until(monkeypatch, BackendError("no engine"), tell_at_once=False) == []


def test_a_log_leaves_the_last_refusal_to_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    told = opened_until(monkeypatch, BackendError("no engine"), tell_at_once=True)
    assert [line.partition(":")[0] for line in told] == [
        "tflite-float32 on tflite does not work here",
        "hint",
    ]


def test_a_log_has_the_missing_library_too_where_another_runs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    told: list[str] = []
    backends: list[BackendName] = ["onnx", "tflite"]
    opened = open_model(
        MADE.bundle(), backends=backends, golden=False, say=told.append, warn=told.append, tell_at_once=True
    )
    opened.backend.close()
    assert [line.partition(":")[0] for line in told] == ["onnx-float32 on onnx does not work here", "hint"]

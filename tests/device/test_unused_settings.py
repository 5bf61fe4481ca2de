"""Settings of a backend that does not run are told: somebody expects that it does."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_bundle import tiny_bundle

from device.model_choice import open_model
from edge_sdk.contract.bundle import Bundle
from edge_sdk.inference.options import BackendName, EngineOptions, OnnxOptions


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))  # no pick but those of the test
    made = tiny_bundle(("tflite-float32", "onnx-float32"))
    return Bundle.open(made.write(tmp_path / "tones.edge"))


def warnings_of(bundle: Bundle, options: EngineOptions, backends: list[BackendName] | None) -> list[str]:
    told: list[str] = []
    opened = open_model(
        bundle,
        backends=backends,
        options=options,
        golden=False,
        say=told.append,
        warn=told.append,
        tell_at_once=False,
    )
    opened.backend.close()
    return told


ON_CUDA = EngineOptions(onnx=OnnxOptions(providers=["cuda", "cpu"]))
PATIENT = EngineOptions(onnx=OnnxOptions(spinning=True))


def test_a_provider_that_is_named_while_another_backend_runs_is_warned_of(bundle: Bundle) -> None:
    assert warnings_of(bundle, ON_CUDA, None) == [
        "what [inference.onnx] says is not used: tflite-float32 on tflite runs",
        'hint: backends = ["onnx"] below [inference] asks for it',
    ]


def test_nothing_is_told_where_an_order_of_backends_was_given_or_nothing_was_set(bundle: Bundle) -> None:
    assert warnings_of(bundle, PATIENT, ["tflite", "onnx"]) == []
    assert warnings_of(bundle, PATIENT, ["onnx"]) == []
    assert warnings_of(bundle, EngineOptions(), None) == []

"""``edge-sdk verify`` where TensorRT is installed: an engine may be missing, crash, or compute otherwise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_installation import FakeInstallation
from tiny_bundle import tiny_bundle
from verb_done import Done

from device import verify_command
from device.choice_check import check_choice
from edge_sdk.cli.main import main
from edge_sdk.errors import BackendError, BackendUnavailableError
from edge_sdk.inference import choice as choice_module
from edge_sdk.inference.onnx import OnnxEngine
from edge_sdk.inference.tensorrt import open as tensorrt_module

MADE = tiny_bundle()


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return MADE.write(tmp_path / "tones.edge")


def verified(path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, Any]]:
    done = Done(capsys, "verify", path, *options)
    return done.code, done.document


def have_tensorrt_here(monkeypatch: pytest.MonkeyPatch, opened: Callable[..., Any]) -> None:
    """Have something in the place of TensorRT, for which verify starts a process otherwise."""
    monkeypatch.setattr(choice_module, "backend_installed", lambda backend: True)
    monkeypatch.setattr(tensorrt_module, "open_engine", opened)
    monkeypatch.setattr(verify_command, "check_in_process", check_choice)


def test_an_onnx_file_is_verified_on_tensorrt_too_where_that_is_installed(
    bundle: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an engine that is no failure: it says what to do, and the rest decides."""

    def unbuilt(model: bytes, **_: Any) -> None:
        raise BackendUnavailableError("no engine was built of it", hint="edge-sdk build BUNDLE")

    have_tensorrt_here(monkeypatch, unbuilt)
    code, report = verified(bundle, capsys, "--variant", "onnx-float32")
    assert code == 0
    assert [(v["backend"], v["status"]) for v in report["variants"]] == [
        ("tensorrt", "not_run"),
        ("onnx", "passed"),
    ]
    lacking = report["variants"][0]
    assert (lacking["reason"], lacking["hint"]) == ("no engine was built of it", "edge-sdk build BUNDLE")


def test_without_an_engine_alone_nothing_is_checked_and_that_is_no_wrong_use(
    bundle: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be there the next time, unlike a library that nobody installs: the work failed."""

    def unbuilt(model: bytes, **_: Any) -> None:
        raise BackendUnavailableError("no engine was built of it", hint="edge-sdk build BUNDLE")

    have_tensorrt_here(monkeypatch, unbuilt)
    code, report = verified(bundle, capsys, "--backend", "tensorrt")
    assert (code, report["passed"]) == (1, False)
    assert [(v["status"], v["error"]) for v in report["variants"]] == [("not_run", "BackendUnavailableError")]
    assert main(["verify", str(bundle), "--backend", "tensorrt"]) == 1
    told = capsys.readouterr().out
    assert (
        "\nonnx-float32 on tensorrt not run: no engine was built of it\nhint: edge-sdk build BUNDLE" in told
    )
    assert "not checked: what could run it is not here" in told


def test_an_engine_that_is_there_and_does_not_run_fails(
    bundle: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(model: bytes, **_: Any) -> None:
        raise BackendError("the engine x.engine is damaged: it is cut off")

    have_tensorrt_here(monkeypatch, damaged)
    code, report = verified(bundle, capsys, "--backend", "tensorrt")
    assert (code, report["variants"][0]["status"]) == (1, "failed")
    assert main(["verify", str(bundle), "--variant", "onnx-float32"]) == 1
    assert "failed: do not trust it on this machine" in capsys.readouterr().out


def test_an_engine_that_crashes_its_loader_fails_and_the_others_are_still_run(
    bundle: Path, fake_jetson: FakeInstallation, capsys: pytest.CaptureFixture[str]
) -> None:
    """A fake TensorRT on a fake Jetson, that has come to crash on an engine which it has run before."""
    assert main(["build", str(bundle)]) == 0
    capsys.readouterr()
    code, report = verified(bundle, capsys, "--variant", "onnx-float32")
    assert (code, [one["status"] for one in report["variants"]]) == (0, ["passed", "passed"])
    fake_jetson.install("10.3", behaviour="die:deserialize_cuda_engine")
    code, report = verified(bundle, capsys, "--variant", "onnx-float32")
    assert code == 1
    assert [(one["backend"], one["status"]) for one in report["variants"]] == [
        ("tensorrt", "failed"),
        ("onnx", "passed"),
    ]
    assert "its process ended by SIGSEGV" in report["variants"][0]["reason"]


def test_an_engine_that_computes_something_else_fails(
    bundle: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """ONNX Runtime stands in for TensorRT, with weights that a wrong precision might have given."""
    other = MADE.members["models/onnx-float32.onnx"].replace(
        np.float32(12.0).tobytes(), np.float32(-12.0).tobytes()
    )
    assert other != MADE.members["models/onnx-float32.onnx"]
    have_tensorrt_here(
        monkeypatch,
        lambda model, *, name, **_: OnnxEngine(other, threads=1, reference_kernels=False, name=name),
    )
    code, report = verified(bundle, capsys, "--backend", "tensorrt", "--backend", "onnx")
    assert code == 1
    assert [(v["backend"], v["status"]) for v in report["variants"]] == [
        ("tensorrt", "failed"),
        ("onnx", "passed"),
    ]
    assert report["variants"][0]["golden"]["tensor"] == "scores"
    assert "label 'loud', tensor 'scores': off by" in report["variants"][0]["reason"]

"""Each choice is measured in a process of its own: what happens to one happens to no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from tiny_bundle import tiny_bundle

from device.bench import measure_process
from device.bench.child import measure_in_process
from device.bench.energy import NoMeterError
from device.bench.measure_process import measure
from device.bench.messages import Request
from edge_sdk.contract.bundle import Bundle
from edge_sdk.errors import BackendError, BackendUnavailableError
from edge_sdk.inference.options import AS_SUITS_THIS_DEVICE
from edge_sdk.inference.tensorrt import open as tensorrt_module


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tiny_bundle(("tflite-float32", "onnx-float32"))
    return made.write(tmp_path_factory.mktemp("bundle") / "tones.edge")


@pytest.fixture
def onnxruntime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module of that name, for the measuring process to find first; tests write its content."""
    folder = tmp_path / "other"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return folder / "onnxruntime.py"


def request(bundle: Path, variant: str = "onnx-float32") -> Request:
    return Request(
        bundle=str(bundle),
        sha256=Bundle.open(bundle).sha256,
        variant=variant,
        backend="onnx" if variant == "onnx-float32" else "tflite",
        seconds=0.05,
        threads=[1, 2],
        options=AS_SUITS_THIS_DEVICE,
    )


def test_a_variant_is_measured_with_its_golden_samples(bundle: Path) -> None:
    told: list[float] = []
    measured = measure_in_process(request(bundle), told.append)
    assert (measured.variant, measured.backend, measured.status) == ("onnx-float32", "onnx", "passed")
    assert measured.golden is not None
    assert measured.golden.n == 4
    figures = measured.figures
    assert figures is not None
    assert list(figures.per_s) == ["1", "2"]
    assert 0 < figures.median_ms <= figures.p99_ms
    assert figures.load_ms > figures.median_ms
    assert figures.n >= 10
    assert all(0 <= share <= 1 for share in told)


def test_a_process_that_crashes_is_an_answer_with_what_it_said(bundle: Path, onnxruntime: Path) -> None:
    onnxruntime.write_text("import os, sys\nprint('no such instruction', file=sys.stderr)\nos.abort()\n")
    measured = measure_in_process(request(bundle), lambda _: None)
    assert measured.status == "failed"
    assert measured.reason is not None
    assert measured.reason.startswith("its process ended by SIGABRT")
    assert "no such instruction" in measured.reason
    other = measure_in_process(request(bundle, "tflite-float32"), lambda _: None)
    assert other.status == "passed"


def test_a_process_that_the_system_kills_most_likely_took_too_much_memory(
    bundle: Path, onnxruntime: Path
) -> None:
    onnxruntime.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    measured = measure_in_process(request(bundle), lambda _: None)
    assert measured.reason == "its process was killed, most likely because memory ran out"


def test_a_process_that_never_ends_is_ended(bundle: Path, onnxruntime: Path) -> None:
    onnxruntime.write_text("import threading\nthreading.Event().wait()\n")
    measured = measure_in_process(request(bundle), lambda _: None, loading_s=1.0)
    assert measured.status == "failed"
    assert "took longer than" in (measured.reason or "")


def test_what_a_library_prints_is_no_answer_and_a_library_that_does_not_load_is_one(
    bundle: Path, onnxruntime: Path
) -> None:
    onnxruntime.write_text("print('{\"type\": \"hello\"}')\nraise ImportError('GLIBC_2.99 not found')\n")
    measured = measure_in_process(request(bundle), lambda _: None)
    assert measured.status == "failed"
    assert "onnxruntime is installed but does not load: GLIBC_2.99 not found" in (measured.reason or "")


def test_a_library_that_is_not_installed_is_not_run(bundle: Path, onnxruntime: Path) -> None:
    onnxruntime.write_text("raise ModuleNotFoundError('onnxruntime', name='onnxruntime')\n")
    measured = measure_in_process(request(bundle), lambda _: None)
    assert measured.status == "not_run"
    assert (measured.error, measured.reason) == (
        "MissingExtraError",
        "the Python library 'onnxruntime' is not installed",
    )
    assert "edge-sdk[onnx]" in (measured.hint or "")


@pytest.mark.parametrize(
    ("error", "status"), [(BackendUnavailableError, "not_run"), (BackendError, "failed")]
)
def test_without_an_engine_nothing_is_run_but_one_that_breaks_down_fails(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, error: type[BackendError], status: str
) -> None:
    def refuse(model: bytes, **_: Any) -> None:
        raise error("cudaErrorIllegalAddress")

    monkeypatch.setattr(tensorrt_module, "open_engine", refuse)
    asked = msgspec.structs.replace(request(bundle), backend="tensorrt", threads=[1])
    measured = measure(asked, lambda _: None)
    assert (measured.status, measured.reason) == (status, "cudaErrorIllegalAddress")


def test_energy_that_could_not_be_counted_is_none_with_a_warning(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class BreaksOff:
        name = "power of VDD_IN"

        def start(self) -> None: ...

        def stop(self) -> float:
            raise NoMeterError("the power of VDD_IN broke off: [Errno 11] try again")

    monkeypatch.setattr(measure_process, "find_meter", BreaksOff)
    measured = measure(request(bundle), lambda _: None)
    assert measured.status == "passed"
    assert measured.figures is not None
    assert measured.figures.energy_mj is None
    assert "energy is not known: the power of VDD_IN broke off" in caplog.text


def test_a_bundle_that_was_exchanged_meanwhile_is_not_measured(bundle: Path) -> None:
    asked = msgspec.structs.replace(request(bundle), sha256="0" * 64)
    measured = measure_in_process(asked, lambda _: None)
    assert measured.status == "failed"
    assert "not the required" in (measured.reason or "")


def test_a_folder_called_device_where_one_stands_is_not_taken_for_ours(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "device.py").write_text("raise SystemExit('a stranger')\n")
    monkeypatch.chdir(tmp_path)
    assert measure_in_process(request(bundle.absolute()), lambda _: None).status == "passed"

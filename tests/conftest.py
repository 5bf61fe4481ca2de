"""What all tests share: where the project and its recordings are, and how properties are searched."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from pathlib import Path

import hypothesis
import pytest

PROJECT = Path(__file__).resolve().parent.parent

# TensorFlow reads these when it is first imported, in tests and in the processes that they start.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # its kernels round by machine load

# What starts us in the background may have us ignore Ctrl-C, and our processes too; tests need it heard.
signal.signal(signal.SIGINT, signal.default_int_handler)

# No deadlines, and none for making examples: a slow machine is not a wrong result. CI searches the same
# examples every time.
_PATIENT = hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile("local", _PATIENT)
hypothesis.settings.register_profile("ci", _PATIENT, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(scope="session")
def project() -> Path:
    """The folder that holds pyproject.toml."""
    return PROJECT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The recordings and models that are not in the repository; skips where they are absent."""
    folder = Path(os.environ.get("EDGE_SDK_DATA", PROJECT / "../shared/data")).resolve()
    if not folder.is_dir():
        pytest.skip(f"no recordings in {folder}: set EDGE_SDK_DATA to run this")
    return folder


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail what would skip for want of TensorRT-RTX, where ``EDGE_SDK_REQUIRE_RTX`` says that it is there."""
    report = yield
    if report.skipped and os.environ.get("EDGE_SDK_REQUIRE_RTX"):
        reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if "TensorRT-RTX is not installed" in reason:
            report.outcome = "failed"
            report.longrepr = f"EDGE_SDK_REQUIRE_RTX is set, but: {reason}"
    return report

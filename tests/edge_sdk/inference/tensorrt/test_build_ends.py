"""What ends a builder: each is told with its own hint, leaves nothing, and the next build succeeds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import psutil
import pytest
from engine_builds import DEEP, build, builders, engines_in, finished, small_job, told_build
from fake_installation import FakeInstallation
from gpu_onnx import deep_onnx

from edge_sdk.errors import BackendError
from edge_sdk.inference.tensorrt.build_messages import Waiting, Working


@pytest.mark.parametrize(
    ("behaviour", "told", "hint"),
    [
        ("kill", "the process that built onnx-float32 was killed", "memory"),
        ("die", "the process that built onnx-float32 ended by SIGSEGV", "dmesg"),
        ("raise MemoryError: ", "not enough memory to build the engine of onnx-float32", "end other"),
        ("raise RuntimeError: CUDA error", "build the engine of onnx-float32: RuntimeError: CUDA", "dmesg"),
    ],
)
def test_a_builder_that_dies_or_throws_is_an_error_with_its_own_hint_and_leaves_nothing(
    installation: FakeInstallation, cache: Path, behaviour: str, told: str, hint: str
) -> None:
    kind, _, error = behaviour.partition(" ")
    installation.install("10.3", behaviour=f"{kind}:build_serialized_network:{error}")
    with pytest.raises(BackendError, match=told) as caught:
        build(cache)
    assert hint in str(caught.value.hint)
    assert engines_in(cache) == []
    installation.install("10.3")
    assert finished(build(cache)).status == "built"


def test_a_builder_that_hangs_is_ended_when_its_time_is_over(
    installation: FakeInstallation, cache: Path
) -> None:
    installation.install("10.3", behaviour="hang")
    with pytest.raises(BackendError, match="building onnx-float32 was not done after 4 s") as caught:
        build(cache, limit=4)
    assert "--time-limit" in str(caught.value.hint)
    assert builders() == []


def test_a_process_that_cannot_even_start_tells_its_last_words(
    cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "msgspec.py").write_text("raise ImportError('msgspec is broken here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(BackendError, match=r"ended with code 1: .*msgspec is broken here"):
        build(cache, deep_onnx(50))  # more than a pipe holds


def test_a_process_that_cannot_be_started_is_told(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(BackendError, match=r"cannot start a process .*No such file") as caught:
        build(cache)
    assert caught.value.hint is not None


def test_who_loses_interest_ends_it(installation: FakeInstallation, cache: Path) -> None:
    """Ctrl-C, for example, in the midst of the build."""
    Path(finished(build(cache)).path).write_bytes(b"damaged")  # and so it has something to tell
    installation.install("10.3", behaviour="hang")

    def interrupt(message: Waiting | Working) -> None:  # as soon as it tells that it builds again
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        told_build(cache, None, interrupt)
    assert builders() == []


PARENT = """
import sys
from pathlib import Path
import msgspec
from edge_sdk.inference.tensorrt import build_child
from edge_sdk.inference.tensorrt.build_child import make_engine
from edge_sdk.inference.tensorrt.build_lock import build_lock
from edge_sdk.inference.tensorrt.build_messages import Job
model = Path(sys.argv[1]).read_bytes()
job = msgspec.json.decode(sys.argv[2], type=Job)
make_engine(job, model, time_limit_s=100, on_progress=lambda message: print("builds", flush=True))
"""


@pytest.mark.usefixtures("rtx")
def test_a_builder_ends_with_whoever_wanted_it(cache: Path, tmp_path: Path) -> None:
    """Even where that was killed by kill -9, and cannot say so."""
    model = tmp_path / "deep.onnx"
    model.write_bytes(deep_onnx(DEEP))
    job = small_job(cache, model.read_bytes(), name="deep", target="8.6")
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(model), msgspec.json.encode(job).decode()],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"builds\n"
    (pid,) = builders()
    builder = psutil.Process(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    gone, _ = psutil.wait_procs([builder], timeout=30)
    assert gone == [builder]
    assert list(cache.glob("*.engine")) == []  # it did not go on to its end
    assert finished(build(cache, target="8.6")).status == "built"

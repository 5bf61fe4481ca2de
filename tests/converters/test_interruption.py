"""A conversion can be stopped at any time, and then leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from converters.interruption import interruptible
from edge_sdk.console.progress import SilentProgress

EXCEPTIONS = {signal.SIGINT: KeyboardInterrupt, signal.SIGTERM: SystemExit}


@pytest.mark.parametrize("number", EXCEPTIONS)
def test_a_signal_that_a_library_swallowed_ends_the_work_at_its_next_step(number: signal.Signals) -> None:
    with interruptible(SilentProgress()) as progress:
        with contextlib.suppress(EXCEPTIONS[number]):
            signal.raise_signal(number)
        with pytest.raises(EXCEPTIONS[number]):
            progress.step("building the next")
        with pytest.raises(EXCEPTIONS[number]):
            list(progress.track([1], "evaluating"))
        with pytest.raises(EXCEPTIONS[number]):
            progress.within(0.5)
        with pytest.raises(EXCEPTIONS[number]):
            list(progress.track([], "evaluating nothing"))


class Finalized:
    """Like TensorFlow's wrappers of native objects: a signal may find Python in their finalizers."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


def test_a_signal_in_a_finalizer_is_not_printed_and_ends_the_work_at_its_next_step(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with interruptible(SilentProgress()) as progress:
        finalized: Finalized | None = Finalized()
        assert finalized is not None
        finalized = None
        with pytest.raises(KeyboardInterrupt):
            progress.step("building the next")
    assert capsys.readouterr().err == ""


def test_a_signal_ends_the_work_at_once_where_nothing_swallows_it() -> None:
    with pytest.raises(SystemExit) as caught, interruptible(SilentProgress()):
        signal.raise_signal(signal.SIGTERM)
    assert caught.value.code == 143


def test_what_was_set_before_holds_again_afterwards_and_ignored_signals_stay_ignored() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with interruptible(SilentProgress()) as progress:
            signal.raise_signal(signal.SIGTERM)
            assert list(progress.track([1, 2], "evaluating")) == [1, 2]
    finally:
        signal.signal(signal.SIGTERM, before)
    with interruptible(SilentProgress()):
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_stopped_in_the_middle_it_leaves_no_file(
    workplace: Any, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    places = {name: tmp_path / name for name in ("out", "temporary")}
    for folder in places.values():
        folder.mkdir()
    command = [sys.executable, "-m", "edge_sdk.cli", "convert", workplace.model, "--spec", workplace.spec]
    command += ["--calibration", workplace.calibration, "--evaluation", workplace.evaluation]
    command += ["--output", places["out"] / "x.edge"]
    with subprocess.Popen(
        [str(part) for part in command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(places["temporary"]), "PYTHONDONTWRITEBYTECODE": ""},
    ) as running:
        assert running.stderr is not None
        for line in running.stderr:
            if line.startswith("building tflite-float16"):
                running.send_signal(number)
        running.wait()
    assert running.returncode == code
    assert [path for folder in places.values() for path in folder.iterdir()] == []

"""Starts the processes that build an engine and try it, and outlives whatever becomes of them."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from ...child_end import how_it_ended, last_lines, was_killed
from ...child_python import module_command
from ...errors import BackendError, UsageError
from .build_messages import (
    Absent,
    Failed,
    Finished,
    Job,
    Message,
    Refused,
    Trying,
    Unfit,
    Waiting,
    Working,
    decode_message,
)
from .trial_mark import remove_mark

__all__ = ["OnProgress", "Outcome", "make_engine", "run_job"]

Outcome: TypeAlias = "Finished | Refused"
OnProgress: TypeAlias = "Callable[[Waiting | Working], None]"

_CHUNK = 1 << 16
_KEPT_OF_LOG = 2000
_SILENCE_S = 10.0
_FROM_OUTSIDE = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_DID = {"build": "built {}", "try": "tried the engine of {}"}
_DOING = {"build": "building {}", "try": "trying the engine of {}"}


def make_engine(job: Job, model: bytes, *, time_limit_s: float, on_progress: OnProgress) -> Outcome:
    """See to it that there is an engine of a model, and that it runs, if its GPU is here.

    One that is there is tried first. One that does not run, or that crashes whoever loads it, is built again,
    unless it is marked as one that runs with other settings than those of the job: who uses these keeps it.
    It is tried in another process than the one that built it, which holds nothing of the builder's, as the
    device will.

    Args:
        job: What is wanted.
        model: Content of the ``.onnx`` file.
        time_limit_s: For each process, waiting for others included.
        on_progress: Is told what is done or waited for; again after ten seconds in which nothing changed.

    Raises:
        UsageError: What is needed for it is not here; nothing was started.
        BackendError: It could not be built, or does not run.
    """

    def run(task: Literal["try", "build"]) -> Outcome | Absent | Unfit:
        step = msgspec.structs.replace(job, task=task)
        return run_job(step, model, time_limit_s=time_limit_s, on_progress=on_progress)

    if any(Path(job.cache).glob("*.engine")):
        there = run("try")
        if isinstance(there, Finished):
            return there
        if isinstance(there, Unfit) and there.runs_otherwise:
            raise BackendError(
                f"the engine of {job.name} runs, but not with {job.settings}: {there.message}",
                hint="these stand below [inference.tensorrt] of --config, or are the defaults: keep to those "
                "with which it runs; if it does not run with those either, a build with them builds it again",
            )
        if isinstance(there, Unfit):
            on_progress(Working(f"building again: {there.message}", 0.0))
    built = run("build")
    if not isinstance(built, Finished):
        return _outcome(built)
    if not built.here:
        return built
    tried = _outcome(run("try"))
    if isinstance(tried, Finished):
        return msgspec.structs.replace(tried, status=built.status, seconds=built.seconds)
    return tried


def _outcome(answer: Outcome | Absent | Unfit) -> Outcome:
    if isinstance(answer, Unfit):
        raise BackendError(answer.message, hint=answer.hint)
    if isinstance(answer, Absent):
        raise BackendError("the engine is gone again", hint="does somebody else empty its folder?")
    return answer


def run_job(
    job: Job, model: bytes, *, time_limit_s: float, on_progress: OnProgress
) -> Outcome | Absent | Unfit:
    """Have a process do a job, and wait for it.

    Args:
        job: What to do.
        model: Content of the ``.onnx`` file.
        time_limit_s: After so long, waiting for others included, the process is ended.
        on_progress: Is told what it does or waits for; again after ten seconds in which nothing changed.

    Returns:
        What became of it; an engine that crashed the process that tried it is unfit.

    Raises:
        UsageError: What is needed for it is not here; nothing was started.
        BackendError: It failed, was killed, or took too long.
    """
    with _started() as process:
        feeding = threading.Thread(target=_feed, args=(process, job, model))
        feeding.start()
        try:
            follower = _Follower(process, time.monotonic() + time_limit_s, on_progress)
            last = follower.follow()
        finally:
            process.kill()  # harmless where it has ended; else nobody wants it any more
            process.wait()
            feeding.join()  # at once: nobody reads what it writes
    if isinstance(last, Failed):
        raise (UsageError if last.wrong_use else BackendError)(last.message, hint=last.hint)
    if isinstance(last, Finished | Refused | Absent | Unfit):
        return last
    error = follower.failure(job, time_limit_s)
    # One that was killed for want of memory, for its time or from outside, says nothing against the engine.
    if isinstance(last, Trying) and not (
        was_killed(process.returncode) or _ended_from_outside(process.returncode)
    ):
        remove_mark(Path(last.path), last.settings)
        return Unfit(error.message, error.hint, last.runs_otherwise)
    raise error


def _started() -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            module_command(f"{__package__}.build_process"),
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except OSError as error:
        raise BackendError(
            f"cannot start a process to build or try an engine in: {error}",
            hint="end other programs: there may be no memory for one more, or too many of them",
        ) from error


def _feed(process: subprocess.Popen[bytes], job: Job, model: bytes) -> None:
    """Give it its work; the pipe stays open, which tells it that we are there."""
    if process.stdin is not None:
        left = memoryview(msgspec.json.encode(job) + b"\n" + model)
        with contextlib.suppress(OSError):  # it has ended already; how is found out elsewhere
            while left:
                left = left[process.stdin.write(left) :]


class _Follower:
    """Reads what a process says until it ends, or its time is over."""

    def __init__(self, process: subprocess.Popen[bytes], deadline: float, on_progress: OnProgress) -> None:
        self._process = process
        self._deadline = deadline
        self._on_progress = on_progress
        self._line = b""
        self._log = b""
        self._last: Message | None = None
        self._late = False

    def follow(self) -> Message | None:
        """Pass progress on; returns the last message, None where the process ended without one."""
        with selectors.DefaultSelector() as selector:
            for stream, take in (
                (self._process.stdout, self._take_output),
                (self._process.stderr, self._take_log),
            ):
                if stream is not None:
                    selector.register(stream, selectors.EVENT_READ, take)
            while selector.get_map():
                left = self._deadline - time.monotonic()
                if left <= 0:
                    self._late = True
                    return None
                ready = selector.select(min(left, _SILENCE_S))
                if not ready:
                    self._tell()
                for key, _ in ready:
                    chunk = os.read(key.fd, _CHUNK)
                    key.data(chunk)
                    if not chunk:
                        selector.unregister(key.fileobj)
        try:
            self._process.wait(max(0.0, self._deadline - time.monotonic()))
        except subprocess.TimeoutExpired:  # it closed its output, and lives on
            self._late = True
        return self._last

    def failure(self, job: Job, time_limit_s: float) -> BackendError:
        """The error for a process that ended without saying why."""
        if self._late and isinstance(self._last, Waiting):
            return BackendError(
                f"another process{_id(self._last.process)} still builds, after {time_limit_s:g} s",
                hint="wait for it, or end it; a larger --time-limit waits longer",
            )
        if self._late:
            what = f" ({self._last.what})" if isinstance(self._last, Working) else ""
            return BackendError(
                f"{_DOING[job.task].format(job.name)} was not done after {time_limit_s:g} s{what}",
                hint="a larger --time-limit gives it more time; a smaller variant takes less",
            )
        code, did = self._process.returncode, _DID[job.task].format(job.name)
        told = last_lines(self._log, 3)
        tail = f": {' | '.join(told)}" if told else ""
        if was_killed(code):
            return BackendError(
                f"the process that {did} was killed{tail}",
                hint="mostly the system does that for want of memory (`dmesg` tells): end other programs, or "
                "give a smaller --workspace-mb",
            )
        if _ended_from_outside(code):
            return BackendError(
                f"the process that {did} was {how_it_ended(code)}{tail}",
                hint="no crash: somebody ended it, or something that watches the memory, as earlyoom does; "
                "run `edge-sdk build` again",
            )
        return BackendError(
            f"the process that {did} {how_it_ended(code)}{tail}",
            hint="it is NVIDIA's library that ended it, most likely; `dmesg` may say more",
        )

    def _tell(self) -> None:
        if isinstance(self._last, Waiting | Working):
            self._on_progress(self._last)
        elif isinstance(self._last, Trying):
            self._on_progress(Working("trying it", 0.0))

    def _take_output(self, chunk: bytes) -> None:
        *lines, self._line = (self._line + chunk).split(b"\n")
        for line in lines:
            with contextlib.suppress(ValueError):  # no message of ours
                self._last = decode_message(line)
                self._tell()

    def _take_log(self, chunk: bytes) -> None:
        self._log = (self._log + chunk)[-_KEPT_OF_LOG:]


def _ended_from_outside(code: int) -> bool:
    """Whether it was asked to end, by a signal that no crash gives."""
    return -code in _FROM_OUTSIDE


def _id(process: int | None) -> str:
    return "" if process is None else f" ({process})"

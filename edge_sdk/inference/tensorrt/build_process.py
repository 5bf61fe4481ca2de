"""The process that builds one engine, and takes the memory for it, or tries one, and may die of that.

    python -m edge_sdk.inference.tensorrt.build_process

Standard input is a :class:`.Job`, a line of JSON, and then the model; it stays open as long as anybody
wants the engine. Standard output is messages; what NVIDIA's libraries print goes to standard error.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import msgspec

from ...errors import BackendError, EdgeSdkError, UsageError
from .build import BuiltEngine, build_engine
from .build_lock import build_lock
from .build_messages import Failed, Job, Message, Refused, Waiting, Working
from .build_target import BuildTarget, find_target
from .engine_cache import EngineCache, EngineRecord, writing_hint
from .fingerprint import Fingerprint
from .foreign_errors import FOREIGN_ERRORS
from .memory_check import check_memory, free_host_bytes, memory_need
from .trial import finished, try_engine

__all__ = ["main"]

_MIB = 1 << 20
_TOLD_EVERY_S = 0.2
_ABANDONED = 3


def main() -> int:
    """Do what standard input says, and tell what comes of it.

    Returns:
        0; how it went is the last message.
    """
    output = _take_output()
    tell = _Teller(output)
    job = msgspec.json.decode(sys.stdin.buffer.readline(), type=Job)
    model = sys.stdin.buffer.read(job.model_bytes)
    threading.Thread(target=_end_when_abandoned, daemon=True).start()
    try:
        tell(_do(job, model, tell))
    except EdgeSdkError as error:
        tell(Failed(error.message, error.hint, isinstance(error, UsageError)))
    except MemoryError:
        hint = "end other programs, or give a smaller --workspace-mb"
        tell(Failed(f"there is not enough memory to {job.task} the engine of {job.name}", hint, False))
    except OSError as error:
        message = f"cannot {job.task} the engine of {job.name} in {job.cache}: {error}"
        tell(Failed(message, writing_hint(error, len(model)), False))
    except FOREIGN_ERRORS as error:
        message = f"cannot {job.task} the engine of {job.name}: {type(error).__name__}: {error}"
        tell(Failed(message, "NVIDIA's library threw it, most likely: `dmesg` may say more", False))
    return 0


class _Teller:
    """Writes messages; of the many that a builder's phases give, a few a second."""

    def __init__(self, output: BinaryIO) -> None:
        self._output = output
        self._lock = threading.Lock()
        self._last = 0.0

    def __call__(self, message: Message) -> None:
        with self._lock, contextlib.suppress(OSError):  # nobody listens: we are about to end
            self._output.write(msgspec.json.encode(message) + b"\n")
            self._output.flush()

    def progress(self, phase: str, share: float) -> None:
        now = time.monotonic()
        if now - self._last >= _TOLD_EVERY_S:
            self._last = now
            self(Working(phase, share))


def _take_output() -> BinaryIO:
    """Standard output for us alone: a library that prints would break a line of ours."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return output


def _end_when_abandoned() -> None:
    """Whoever wanted the engine has gone, be it by ``kill -9``: so do we, however deep in the builder."""
    while os.read(0, 1):
        pass
    os._exit(_ABANDONED)


def _do(job: Job, model: bytes, tell: _Teller) -> Message:
    target = find_target(job.target)
    cache = EngineCache(Path(job.cache))
    wanted = target.fingerprint(model)
    if job.task == "try":
        return try_engine(job, target, cache, wanted, tell)
    before = cache.seal(wanted)
    with build_lock(cache.folder, lambda process: tell(Waiting(process))):
        has_enough = cache.workspace_mb(wanted) >= job.least_workspace_mb
        if cache.seal(wanted) not in (before, None) and has_enough:  # whoever held the folder has built it
            return finished("found", job, target, cache, wanted)
        cache.remove_partial()
        _check(job, target, cache, wanted, len(model))
        started = time.monotonic()
        built = _build(job, target, cache, wanted, model, tell.progress)
        if built.plan is None:
            return Refused(str(target.library), list(built.refusals))
        cache.write(
            EngineRecord(name=job.name, fingerprint=wanted, workspace_mb=job.workspace_mb), built.plan
        )
        if built.timings:
            cache.write_timings(wanted.builder, built.timings)
        return finished("built", job, target, cache, wanted, seconds=round(time.monotonic() - started, 3))


def _check(job: Job, target: BuildTarget, cache: EngineCache, wanted: Fingerprint, model_bytes: int) -> None:
    """Refuse before the work what would fail after it."""
    partial = cache.path(wanted).with_suffix(".partial")
    try:
        partial.touch()
        partial.unlink()
        free = shutil.disk_usage(cache.folder).free
    except OSError as error:
        raise BackendError(
            f"cannot write to {cache.folder}: {error.strerror}", hint=writing_hint(error, model_bytes)
        ) from error
    if free < 2 * model_bytes:  # an engine has the weights in it, and its kernels
        raise BackendError(
            f"the disk of {cache.folder} has {free / 1e6:.0f} MB free, too little for an engine",
            hint=f"make room for {2 * model_bytes / 1e6:.0f} MB, or name another folder with --cache",
        )
    if job.check_memory:
        need = memory_need(target.library, model_bytes, job.workspace_mb * _MIB)
        check_memory(need, target.cuda, free_host_bytes())


def _build(
    job: Job,
    target: BuildTarget,
    cache: EngineCache,
    wanted: Fingerprint,
    model: bytes,
    on_progress: Callable[[str, float], None],
) -> BuiltEngine:
    return build_engine(
        target.library,
        model,
        compute_capability=target.compute_capability,
        workspace_bytes=job.workspace_mb * _MIB,
        timings=cache.read_timings(wanted.builder),
        on_progress=on_progress,
    )


if __name__ == "__main__":
    sys.exit(main())

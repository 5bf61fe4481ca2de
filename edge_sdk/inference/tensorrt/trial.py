"""Loading and running an engine once, in a process that nobody needs, before anybody else does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from ...errors import BackendError
from .build_lock import build_lock
from .build_messages import Absent, Finished, Job, Message, Trying, Unfit, Waiting
from .build_target import BuildTarget
from .cuda import Cuda
from .engine import TensorRtEngine
from .engine_cache import EngineCache
from .engine_folder import build_command, rebuild_hint
from .fingerprint import Fingerprint
from .foreign_errors import MEMORY_HINT, NOT_STARTED_HINT
from .library import Library
from .trial_mark import is_tried_otherwise, remove_mark

__all__ = ["finished", "try_engine"]


def try_engine(
    job: Job, target: BuildTarget, cache: EngineCache, wanted: Fingerprint, tell: Callable[[Message], None]
) -> Message:
    """Load the engine that is there, and run it, where its GPU is.

    That takes no lock, as the folder may be read-only. Where another builder replaced the engine meanwhile,
    what came of the old one says nothing of the new one, which is tried with the lock.

    Args:
        job: What is wanted.
        target: Found for it.
        cache: Where the engine is.
        wanted: Its fingerprint.
        tell: Is told what is done, before it is done.

    Returns:
        What became of it.

    Raises:
        BackendError: Somebody replaces it all the time, it cannot be marked as one that runs, or what fails
            says nothing against it: there is no memory for it, or the library does not start.
    """
    answer = _try_once(job, target, cache, wanted, tell)
    if answer is None:
        with build_lock(cache.folder, lambda process: tell(Waiting(process))):
            answer = _try_once(job, target, cache, wanted, tell)
    if answer is None:
        raise BackendError(
            f"the engine of {job.name} was replaced while it was tried: {cache.path(wanted)}",
            hint="build again once nobody else writes there",
        )
    return answer


class _Found(NamedTuple):
    """The engine that is there: its content, the seal of that, and what its kernels may use."""

    plan: memoryview
    seal: bytes
    workspace_mb: int


def _try_once(
    job: Job, target: BuildTarget, cache: EngineCache, wanted: Fingerprint, tell: Callable[[Message], None]
) -> Message | None:
    """What came of it; None where the file is another one by then."""
    if not cache.path(wanted).exists():
        return Absent()
    try:
        found = _Found(*cache.read_with_seal(wanted, job.name), cache.workspace_mb(wanted))
    except BackendError as error:
        if error.hint == MEMORY_HINT:  # there is none to build another one either
            raise
        return Unfit(error.message, error.hint)
    if found.workspace_mb < job.least_workspace_mb:
        given, asked = found.workspace_mb, job.least_workspace_mb
        return Unfit(f"it was built with --workspace-mb {given}, asked for {asked}", None)
    unfit = None
    if target.cuda is not None:
        unfit = _run_and_mark(job, found, target.library, target.cuda, cache, wanted, tell)
        if cache.seal(wanted) != found.seal:
            # Then a mark of the new one may have made way for that of the old.
            return None
    return unfit or finished("found", job, target, cache, wanted, tried=target.cuda is not None)


def _run_and_mark(
    job: Job,
    found: _Found,
    library: Library,
    cuda: Cuda,
    cache: EngineCache,
    wanted: Fingerprint,
    tell: Callable[[Message], None],
) -> Unfit | None:
    """Run what was found, and say beside it what came of that; None where it runs, or is not there any more.

    Raises:
        BackendError: It cannot be marked; or the library does not start, or it finds no memory. That says
            nothing against it, and one that was built anew would find as little, if it is not asked to take
            less.
    """
    path, settings = cache.path(wanted), job.settings.on(cuda.gpu)
    otherwise = is_tried_otherwise(path, cuda.gpu, settings, seal=found.seal)
    tell(Trying(str(path), settings, otherwise))
    failure = _failure(job, found.plan, library, cuda)
    if cache.seal(wanted) != found.seal:
        return None
    if failure is None:
        cache.mark_tried(wanted, cuda.gpu, settings, seal=found.seal)
        return None
    if failure.hint == NOT_STARTED_HINT:
        raise failure
    if failure.hint != MEMORY_HINT:
        remove_mark(path, settings)
    elif not 0 < job.least_workspace_mb < found.workspace_mb:
        raise _no_memory(job, found.workspace_mb, failure, otherwise=otherwise) from failure
    return Unfit(failure.message, failure.hint, otherwise)


def _no_memory(job: Job, workspace_mb: int, failure: BackendError, *, otherwise: bool) -> BackendError:
    """The error for an engine that finds none; with what has it built again, where that can be done.

    Args:
        job: What was wanted.
        workspace_mb: What its kernels may use; 0 where that is not known.
        failure: What it came to.
        otherwise: Whether it ran with other settings: who uses those keeps it.
    """
    hint = f"{failure.hint}"
    if workspace_mb > 1 and not otherwise:
        command = build_command(Path(job.cache), "--workspace-mb", "N")
        hint += (
            f"; or `{command}`, N less than the {workspace_mb} that it was built with: "
            "it is built again, and its kernels may use less"
        )
    return BackendError(f"there is no memory to try the engine of {job.name}: {failure.message}", hint=hint)


def _failure(job: Job, plan: memoryview, library: Library, cuda: Cuda) -> BackendError | None:
    try:
        _run_once(job, plan, library, cuda)
    except BackendError as error:
        return error
    return None


def _run_once(job: Job, plan: memoryview, library: Library, cuda: Cuda) -> None:
    """As the device will: by the graph, where there is one, and in the memory that was asked for."""
    engine = TensorRtEngine(
        plan,
        library=library,
        cuda=cuda,
        name=job.name,
        graph=job.settings.cuda_graph,
        mapped_memory=job.settings.mapped_memory,
        hint=rebuild_hint(Path(job.cache)),
    )
    try:
        engine.run(
            {
                spec.name: np.zeros([extent or 1 for extent in spec.shape], spec.dtype)
                for spec in engine.inputs
            }
        )
    finally:
        engine.close()


def finished(
    status: Literal["built", "found"],
    job: Job,
    target: BuildTarget,
    cache: EngineCache,
    wanted: Fingerprint,
    *,
    seconds: float = 0.0,
    tried: bool = False,
) -> Finished:
    """That there is an engine; what it takes the place of is removed.

    Args:
        status: Whether it was built now.
        job: What was wanted.
        target: Found for it.
        cache: Where the engine is.
        wanted: Its fingerprint.
        seconds: The build took.
        tried: Whether it ran.
    """
    here, path = target.cuda is not None, cache.path(wanted)
    return Finished(
        status=status,
        path=str(path),
        bytes=path.stat().st_size,
        fingerprint=wanted,
        seconds=seconds,
        here=here,
        tried=tried,
        # Only by what has taken their place: it runs, or is for a GPU elsewhere.
        removed=[str(old) for old in cache.remove_superseded(wanted, job.name)] if tried or not here else [],
    )

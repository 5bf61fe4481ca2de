"""Loading and running an engine once, in a process that nobody needs, before anybody else does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np

from ...errors import BackendError
from .build_lock import build_lock
from .build_messages import Absent, Finished, Job, Message, Trying, Unfit, Waiting
from .build_target import BuildTarget
from .cuda import Cuda
from .engine import TensorRtEngine
from .engine_cache import EngineCache
from .engine_folder import rebuild_hint
from .fingerprint import Fingerprint
from .foreign_errors import MEMORY_HINT
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
        BackendError: Somebody replaces it all the time, or it cannot be marked as one that runs.
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


def _try_once(
    job: Job, target: BuildTarget, cache: EngineCache, wanted: Fingerprint, tell: Callable[[Message], None]
) -> Message | None:
    """What came of it; None where the file is another one by then."""
    path = cache.path(wanted)
    if not path.exists():
        return Absent()
    try:
        plan, seal = cache.read_with_seal(wanted, job.name)
        given_mb = cache.workspace_mb(wanted)
        if given_mb < job.least_workspace_mb:
            return Unfit(
                f"it was built with --workspace-mb {given_mb}, asked for {job.least_workspace_mb}", None
            )
    except BackendError as error:
        return Unfit(error.message, error.hint)
    if target.cuda is not None:
        settings = job.settings.on(target.cuda.gpu)
        otherwise = is_tried_otherwise(path, target.cuda.gpu, settings, seal=seal)
        tell(Trying(str(path), settings, otherwise))
        failure = _failure(job, plan, target.library, target.cuda)
        if cache.seal(wanted) != seal:
            return None
        if failure is not None:
            if failure.hint != MEMORY_HINT:  # want of memory says nothing against the engine
                remove_mark(path, settings)
            return Unfit(failure.message, failure.hint, otherwise)
        cache.mark_tried(wanted, target.cuda.gpu, settings, seal=seal)
    return finished("found", job, target, cache, wanted, tried=target.cuda is not None)


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

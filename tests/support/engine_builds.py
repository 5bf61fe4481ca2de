"""Builds of small engines, each by a process of its own as ``edge-sdk build`` starts it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import psutil
from gpu_onnx import scaled_onnx

from edge_sdk.inference.tensorrt.build_child import Outcome, make_engine
from edge_sdk.inference.tensorrt.build_messages import Finished, Job, Waiting, Working
from edge_sdk.inference.tensorrt.engine_cache import EngineRecord
from edge_sdk.inference.tensorrt.sealed_file import read_sealed

__all__ = [
    "DEEP",
    "SECONDS",
    "Told",
    "build",
    "builders",
    "engines_in",
    "finished",
    "small_job",
    "told_build",
]

SECONDS = 120.0
DEEP = 1500
"""Layers that take TensorRT-RTX's builder tens of seconds: nobody waits for that, it is ended before."""
Told: TypeAlias = list[Waiting | Working]


def small_job(cache: Path, model: bytes, **changes: Any) -> Job:
    """What a builder is told about a model, with what is usual where nothing else is said."""
    job = Job(
        name="onnx-float32",
        target="this",
        cache=str(cache),
        workspace_mb=512,
        check_memory=True,
        model_bytes=len(model),
    )
    return msgspec.structs.replace(job, **changes)


def build(cache: Path, model: bytes | None = None, *, limit: float = SECONDS, **changes: Any) -> Outcome:
    """Build a model, the small one unless it is said, and forget what is told meanwhile."""
    return told_build(cache, model, lambda _: None, limit=limit, **changes)


def told_build(
    cache: Path,
    model: bytes | None,
    on_progress: Callable[[Waiting | Working], None],
    *,
    limit: float = SECONDS,
    **changes: Any,
) -> Outcome:
    """Build a model, the small one where it is None."""
    content = scaled_onnx() if model is None else model
    job = small_job(cache, content, **changes)
    return make_engine(job, content, time_limit_s=limit, on_progress=on_progress)


def finished(outcome: Outcome) -> Finished:
    """The same, which must be an engine."""
    assert isinstance(outcome, Finished), outcome
    return outcome


def engines_in(cache: Path) -> list[Path]:
    """All of them, each held against its digest; nothing else but the lock and timings may be there."""
    found = sorted(cache.glob("*.engine"))
    for path in found:
        read_sealed(path, EngineRecord)
    assert {path.suffix for path in cache.iterdir()} <= {".engine", ".tried", ".lock", ".timings"}
    return found


def builders() -> list[int]:
    """Builders that descend from this process."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if "edge_sdk.inference.tensorrt.build_process" in process.cmdline():
                found.append(process.pid)
    return found

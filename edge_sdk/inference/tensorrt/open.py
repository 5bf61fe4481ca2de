"""From a model and the cache of engines to an engine that runs."""

from __future__ import annotations

from pathlib import Path

from .cuda import open_cuda
from .engine import TensorRtEngine
from .engine_cache import EngineCache
from .engine_folder import default_folder, rebuild_hint
from .fingerprint import fingerprint
from .library import find_library
from .trial_mark import TrialSettings

__all__ = ["open_engine"]


def open_engine(
    model: bytes,
    *,
    name: str,
    cache: Path | None = None,
    graph: bool = True,
    mapped_memory: bool = False,
) -> TensorRtEngine:
    """Load the engine that ``edge-sdk build`` made of a model; nothing is ever built here.

    Args:
        model: Content of the ``.onnx`` file.
        name: What to call it in messages.
        cache: Folder of the engines; None is :func:`.default_folder`.
        graph: Replay a CUDA graph, where one can be captured.
        mapped_memory: Let an integrated GPU work in the computer's memory.

    Raises:
        MissingExtraError: No TensorRT, or nothing to call CUDA with, is installed.
        BackendError: There is no driver or no GPU; there is no engine for this device, a damaged one, or one
            that has not run yet; TensorRT refuses it; or there is not enough memory.
    """
    library = find_library()
    cuda = open_cuda()
    engines = EngineCache(default_folder() if cache is None else cache)
    settings = TrialSettings(cuda_graph=graph, mapped_memory=mapped_memory)
    plan = engines.read_tried(fingerprint(model, library, cuda.gpu), name, cuda.gpu, settings)
    return TensorRtEngine(
        plan,
        library=library,
        cuda=cuda,
        name=name,
        graph=graph,
        mapped_memory=mapped_memory,
        hint=rebuild_hint(engines.folder),
    )

"""An engine of TensorRT, loaded and run on the GPU."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Mapping
from typing import final

from ...contract.values import Array, TensorSpec
from .cuda import Cuda
from .engine_folder import rebuild_hint
from .foreign_errors import FOREIGN_ERRORS, as_backend_error
from .library import Library
from .session import Session

__all__ = ["TensorRtEngine"]

_log = logging.getLogger(__name__)


@final
class TensorRtEngine:
    """See :class:`edge_sdk.inference.engine.Engine`.

    Everything is allocated here, and everything runs once, on zeros: what does not fit into memory
    fails now. An inference then is one copy into page-locked memory, one call, and one wait.

    Args:
        plan: The engine's content, as ``edge-sdk build`` wrote it.
        library: What it was built by.
        cuda: Where to run it.
        name: What to call the model in messages.
        graph: Capture all of an inference as a CUDA graph, where that can be done.
        mapped_memory: Let an integrated GPU work in the computer's memory, and copy nothing.
        hint: What to do about an engine that is of no use; None is to build one.

    Attributes:
        graph_refusal: Why there is no CUDA graph; None where there is one, or none was wanted.
        mapped_memory_refusal: Why memory is not mapped, likewise.
        stream: Of CUDA, in which it works.

    Raises:
        BackendError: It is damaged, of another version or for another GPU; or there is not enough memory.
    """

    errors: tuple[type[Exception], ...] = FOREIGN_ERRORS

    def __init__(
        self,
        plan: bytes | memoryview,
        *,
        library: Library,
        cuda: Cuda,
        name: str,
        graph: bool = True,
        mapped_memory: bool = False,
        hint: str | None = None,
    ) -> None:
        hint = rebuild_hint() if hint is None else hint
        self.library = library.product
        self.mapped_memory_refusal: str | None = None
        if mapped_memory and not cuda.gpu.integrated:
            self.mapped_memory_refusal = f"{cuda.gpu} is not integrated: it would reach over the bus"
        mapped = mapped_memory and self.mapped_memory_refusal is None
        with as_backend_error(f"{library} cannot load the engine of {name}", hint):
            session = Session(plan, library, cuda, name, mapped=mapped, hint=hint)
        # Closing drops the engine, and no more: see EngineBackend. The session must not know the engine.
        self._close = weakref.finalize(self, session.close)
        self._session = session
        self.stream = session.stream
        self.inputs: tuple[TensorSpec, ...] = session.inputs
        self.outputs: tuple[TensorSpec, ...] = session.outputs
        try:
            with as_backend_error(f"{library} failed to run {name}", hint):
                session.run_once()
                self.graph_refusal = session.capture() if graph else None
        except BaseException:
            self.close()
            raise
        for refusal in (self.graph_refusal, self.mapped_memory_refusal):
            if refusal is not None:
                _log.warning("%s: %s", name, refusal)

    def run(self, tensors: Mapping[str, Array]) -> Mapping[str, Array]:
        """Run the model once: see :meth:`edge_sdk.inference.engine.Engine.run`.

        Raises:
            BackendError: TensorRT or CUDA failed.
        """
        session = self._session
        session.buffers.fill(tensors)
        session.run_once()
        return session.answers()

    def enqueue(self) -> None:
        """Put one inference on what the inputs hold into the stream, copies included, and do not wait."""
        self._session.enqueue()

    def close(self) -> None:
        """Release everything. Closing twice is harmless; nothing else may follow."""
        self._close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.library}>"

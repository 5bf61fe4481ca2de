"""A session of ONNX Runtime: on the execution providers that were named, or on the best that load."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import BackendError
from .onnx_providers import (
    CUDA,
    XNNPACK,
    default_providers,
    provider_settings,
    require_loaded,
    require_providers,
)
from .options import OnnxOptions, ProviderName

__all__ = ["WRONG_OPTIMIZERS", "SessionPlan", "run_options"]

WRONG_OPTIMIZERS = ("Pad_Fusion",)
"""It takes zeros that stand before a MaxPool for that operator's own padding, which never wins: where all
values at an edge are negative, the answer is another. ResNet50V2 has such a place. Seen in 1.31."""

_FATAL_ONLY = 4  # ONNX Runtime would print each error that it also raises


@dataclass(frozen=True)
class SessionPlan:
    """What a session is to be.

    Attributes:
        runtime: The library.
        model: Content of the ``.onnx`` file.
        name: What to call it in messages.
        options: What the configuration says.
        threads: Of one inference.
        plain: Leave the graph as it is: no fusions, no constant folding.
        errors: What the library raises.
    """

    runtime: Any
    model: bytes
    name: str
    options: OnnxOptions
    threads: int
    plain: bool
    errors: tuple[type[Exception], ...]

    def open(self) -> Any:
        """Load the model.

        Raises:
            BackendError: An execution provider that was named is not here, or refuses the model.
            Exception: One of :attr:`errors`: the model is refused.
        """
        if self.options.providers is not None:
            return self._on_named(self.options.providers)
        names = default_providers(self.runtime)
        return (self._on_cuda(names) if CUDA in names else None) or self._on(names[-1:])

    def _on_named(self, wanted: Sequence[ProviderName]) -> Any:
        names = require_providers(self.runtime, wanted)
        if wanted == ["cpu"]:
            return self._on(names)
        try:
            session = self._on(names)
        except self.errors as error:
            listed = ", ".join(wanted)
            raise BackendError(
                f"ONNX Runtime cannot load {self.name} with the execution providers {listed}: {error}",
                hint="with providers = ['cpu'] it loads unless the model is at fault; else what the others "
                "need, a driver and its libraries, is not installed where the loader finds it",
            ) from error
        require_loaded(session, wanted)
        return session

    def _on_cuda(self, names: Sequence[str]) -> Any:
        """None where CUDA does not load: for its libraries, the driver or a GPU are missing."""
        # The library would tell on stderr, in colours, what is told below in one line.
        self.runtime.set_default_logger_severity(_FATAL_ONLY)
        why = "its libraries, CUDA and cuDNN, do not load"
        try:
            session = self._on(names)
            if CUDA in session.get_providers():
                return session
        except self.errors as error:  # the CPU will show whether the model is at fault
            why = str(error)
        import logging  # never needed where all is well

        told = "ONNX Runtime is built with CUDA, but the CPU runs the model: %s"
        logging.getLogger(__name__).warning(told, why)
        return None

    def _on(self, names: Sequence[str]) -> Any:
        settings = self.runtime.SessionOptions()
        # XNNPACK has threads of its own, and does the work: ONNX Runtime's would only stand in their way.
        settings.intra_op_num_threads = 1 if XNNPACK in names else self.threads
        settings.inter_op_num_threads = 1
        settings.log_severity_level = _FATAL_ONLY
        settings.enable_cpu_mem_arena = self.options.memory_arena
        settings.enable_mem_pattern = self.options.memory_pattern
        settings.add_session_config_entry("session.intra_op.allow_spinning", str(int(self.options.spinning)))
        if CUDA in names or not self.options.integer_kernels:
            # Else CUDA's int8 tensors go through operators that it has in float alone.
            settings.add_session_config_entry("session.disable_quant_qdq", "1")
        if self.plain:
            settings.graph_optimization_level = self.runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
        providers = [provider_settings(name, self.options, self.threads) for name in names]
        # Its own way to go on without a provider prints to standard output, and hides what happened.
        return self.runtime.InferenceSession(
            self.model,
            settings,
            providers=providers,
            enable_fallback=0,
            disabled_optimizers=list(WRONG_OPTIMIZERS),
        )


def run_options(runtime: Any, options: OnnxOptions) -> Any:
    """What each inference is told; None where that is nothing."""
    if not options.shrink_arena:
        return None
    settings = runtime.RunOptions()
    settings.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return settings

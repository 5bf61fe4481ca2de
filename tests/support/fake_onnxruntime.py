"""The real ONNX Runtime, built as if with more execution providers than it is."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, Literal

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


class FakeOnnxRuntime:
    """Stands in the place of the module ``onnxruntime``: the CPU does the work, whatever was asked for.

    Args:
        extra: Execution providers that this build has beside the CPU's.
        outcome: What asking for one of them comes to: it ``works``; it is ``skipped``, as the library does
            where CUDA is not installed; or it ``fails``, as where there is no driver.
    """

    def __init__(self, *extra: str, outcome: Literal["works", "skipped", "fails"] = "works") -> None:
        self._real = importlib.import_module("onnxruntime")
        self._extra = extra
        self._outcome = outcome
        self.asked: list[dict[str, dict[str, str]]] = []
        self.settings: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def get_available_providers(self) -> list[str]:
        return [*self._extra, CPU]

    def InferenceSession(  # noqa: N802  (the library's name)
        self, model: bytes, settings: Any, providers: Sequence[tuple[str, dict[str, str]]], **_: Any
    ) -> Any:
        self.asked.append(dict(providers))
        self.settings.append(settings)
        extra = [name for name, _ in providers if name in self._extra]
        if extra and self._outcome == "fails":
            raise RuntimeError("CUDA failure 35: CUDA driver version is insufficient")
        session = self._real.InferenceSession(model, settings, providers=[CPU])
        if not extra or self._outcome == "skipped":
            return session
        return SimpleNamespace(
            get_providers=lambda: [*extra, CPU],
            get_inputs=session.get_inputs,
            get_outputs=session.get_outputs,
            run=session.run,
        )

"""Which variant of a bundle, run by what: all that could be tried, in the order to try it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..contract.manifest import Manifest, Variant
from ..errors import UsageError
from .open import BACKENDS_OF, backend_installed, choose_variant
from .options import BackendName

__all__ = ["BACKEND_NAMES", "Choice", "possible_choices"]

BACKEND_NAMES: tuple[BackendName, ...] = ("tflite", "onnx", "tensorrt")


@dataclass(frozen=True, slots=True)
class Choice:
    """One variant, on one backend."""

    variant: Variant
    backend: BackendName

    def __str__(self) -> str:
        return f"{self.variant.name} on {self.backend}"


def possible_choices(
    manifest: Manifest,
    *,
    variant: str | None = None,
    backends: Sequence[BackendName] | None = None,
    pick: tuple[str, BackendName] | None = None,
) -> list[Choice]:
    """What could run, first what is to be tried first; nothing is loaded.

    Args:
        manifest: Of the bundle.
        variant: Only this one.
        backends: Only these, in this order. By default the bundle's own order of variants, each with what
            usually runs its format; before that TensorRT, where a library for it is installed.
        pick: Variant and backend that were picked here. They go first, but for what ``backends`` says.

    Raises:
        UsageError: There is no such variant, or nothing in the bundle runs on these backends.
    """
    wanted = [variant] if variant is not None else manifest.stages[0].variants
    variants = [choose_variant(manifest, name) for name in wanted]
    choices = [
        Choice(one, backend)
        for one in variants
        for backend in BACKENDS_OF[one.format]
        if _is_wanted(backend, backends)
    ]
    if not choices:
        asked = " or ".join(f"'{name}'" for name in dict.fromkeys(backends or ()))
        runs = sorted({backend for one in variants for backend in BACKENDS_OF[one.format]})
        what = f"variant {variant}" if variant is not None else f"bundle {manifest.name}"
        raise UsageError(f"{what} does not run on {asked}", hint=f"it runs on: {', '.join(runs)}")
    order = list(backends or ())
    return sorted(
        choices,
        key=lambda choice: (
            order.index(choice.backend) if order else 0,
            (choice.variant.name, choice.backend) != pick,
        ),
    )


def _is_wanted(backend: BackendName, backends: Sequence[BackendName] | None) -> bool:
    if backends is not None:
        return backend in backends
    return backend != "tensorrt" or backend_installed(backend)

"""Which TensorRT is installed. What it can do is found out by looking for it, never by its version."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import importlib.util
import logging
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ...errors import BackendUnavailableError, MissingExtraError
from .products import PRODUCT_MODULES, TENSORRT, TENSORRT_RTX

__all__ = [
    "Library",
    "find_library",
    "is_installed",
    "loaded_build_number",
    "require_installed",
]

_SHARED_OBJECTS = {TENSORRT: "libnvinfer.so", TENSORRT_RTX: "libtensorrt_rtx.so"}
_log = logging.getLogger(__name__)
_MARK_OF_A_WHOLE_ONE = "__version__"  # Python takes an empty folder for a package
_NEEDED = ("set_tensor_address", "execute_async_v3")
_MAPS = Path("/proc/self/maps")
_HINT = (
    "on a Jetson, TensorRT comes with JetPack: make the environment with `python3 -m venv "
    "--system-site-packages`. On a computer with an RTX card: pip install './edge-sdk[tensorrt-rtx]'"
)


@dataclass(frozen=True)
class Library:
    """TensorRT or TensorRT-RTX, loaded.

    Attributes:
        trt: Its module.
        product: :data:`TENSORRT` or :data:`TENSORRT_RTX`.
        version: In full, like ``10.3.0.30``: an engine runs under this one alone.
    """

    trt: Any
    product: str
    version: str

    def __str__(self) -> str:
        return f"{self.product} {self.version}"

    @property
    def is_rtx(self) -> bool:
        """Whether it is the product for RTX cards, whose engines hold for every card of a family."""
        return self.product == TENSORRT_RTX

    @property
    def network_flags(self) -> int:
        """What ``create_network`` is given: have the types that are in the ONNX, where that can be had."""
        flags = self.trt.NetworkDefinitionCreationFlag
        for name in ("STRONGLY_TYPED", "EXPLICIT_BATCH"):
            if hasattr(flags, name):
                return 1 << int(getattr(flags, name))
        return 0

    @property
    def wants_precision_flags(self) -> bool:
        """Whether its networks are weakly typed: float16 and int8 happen only where a flag allows them."""
        return not hasattr(self.trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED") and hasattr(
            self.trt.BuilderFlag, "FP16"
        )


def is_installed(product: str) -> bool:
    """Whether a product can be found; nothing is loaded."""
    return any(importlib.util.find_spec(module) is not None for module in PRODUCT_MODULES[product])


def require_installed() -> None:
    """Look for a library without loading any.

    Raises:
        MissingExtraError: None is installed.
    """
    if not any(map(is_installed, PRODUCT_MODULES)):
        raise _not_installed(PRODUCT_MODULES[TENSORRT][0])


def find_library(product: str | None = None) -> Library:
    """Load TensorRT, or TensorRT-RTX where that is not to be had.

    Args:
        product: Only this one.

    Raises:
        MissingExtraError: None is installed.
        BackendUnavailableError: One is, but does not load or is too old.
    """
    wanted = {name: PRODUCT_MODULES[name] for name in (PRODUCT_MODULES if product is None else [product])}
    failures: list[str] = []
    for name, modules in wanted.items():
        for module in modules:
            trt = _load(module, failures)
            if trt is not None:
                for failure in failures:
                    _warn_once(name, failure)
                return _checked(trt, name)
    if failures:
        raise BackendUnavailableError("; ".join(failures), hint=_HINT)
    raise _not_installed(next(iter(wanted.values()))[0])


@cache
def _warn_once(product: str, failure: str) -> None:
    """Each model that is opened looks for the library; once in a process tells it."""
    _log.warning("%s takes the place of what does not work: %s", product, failure)


def _load(module: str, failures: list[str]) -> Any | None:
    """A module, or None; why it does not load is added to the failures where it is there."""
    try:
        trt = importlib.import_module(module)
        if hasattr(trt, _MARK_OF_A_WHOLE_ONE):
            return trt
        failures.append(f"{module} is installed but not whole: it has no {_MARK_OF_A_WHOLE_ONE}")
    except ModuleNotFoundError as error:
        if error.name != module:
            failures.append(f"{module} is installed but does not load: {error}")
    # A wheel without the libraries beside it fails in whatever way its loader does.
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        failures.append(f"{module} is installed but does not load: {error}")
    return None


def loaded_build_number(shared_object: str) -> int | None:
    """The last number of a TensorRT's version, which its module leaves out.

    Args:
        shared_object: How the file name of its library begins.

    Returns:
        None where the library does not tell.
    """
    try:
        lines = _MAPS.read_text("utf-8", "replace").splitlines()
    except OSError:  # no Linux
        return None
    paths = {line.split(maxsplit=5)[5] for line in lines if f"/{shared_object}" in line}
    for path in sorted(paths):
        with contextlib.suppress(AttributeError, OSError):  # older ones do not have it
            return int(ctypes.CDLL(path).getInferLibBuildVersion())
    return None


def _checked(trt: Any, product: str) -> Library:
    version = str(trt.__version__)
    lacking = [name for name in _NEEDED if not hasattr(trt.IExecutionContext, name)]
    if lacking:
        raise BackendUnavailableError(
            f"{product} {version} is too old: it has no {' and no '.join(lacking)}",
            hint="JetPack 6 or newer brings one that can be used",
        )
    if version.count(".") < 3:
        number = loaded_build_number(_SHARED_OBJECTS[product])
        version = version if number is None else f"{version}.{number}"
    return Library(trt, product, version)


def _not_installed(module: str) -> MissingExtraError:
    error = MissingExtraError(module, "tensorrt-rtx")
    error.hint = _HINT
    return error

"""What all backends do alike, so that a new engine brings only what is its own.

An engine's module imports its library with :func:`import_engine`, loads a model within
:func:`loading`, and gives it as an :class:`Engine`; :class:`EngineBackend` makes a backend of that.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
from collections.abc import Iterator, Mapping
from functools import cache
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Protocol, final

from ..contract.values import Array, TensorSpec
from ..errors import BackendError, MissingExtraError
from .backend import check_inputs
from .module_absence import is_absent

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Engine", "EngineBackend", "import_engine", "loading"]

_log = logging.getLogger(__name__)
_REINSTALL_HINT = (
    "uninstall it and install it again, with what it needs; of two distributions that bring the same module, "
    "as onnxruntime and onnxruntime-gpu do, uninstall both first"
)


class Engine(Protocol):
    """A library that has loaded one model.

    Attributes:
        library: What to call it in messages.
        errors: What :meth:`run` raises where the library fails.
        inputs: What the model takes, in its order; float32 where its own is quantized.
        outputs: What it gives, likewise.
    """

    library: str
    errors: tuple[type[Exception], ...]
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    def run(self, tensors: Mapping[str, Array]) -> Mapping[str, Array]:
        """Run the model once: as :meth:`.Backend.infer`, with tensors that fit :attr:`inputs`."""
        ...


@final
class EngineBackend:
    """An engine as a :class:`.Backend`: holds tensors against the model, names what failed, closes.

    Args:
        model: What to call the model in messages.
        engine: Has it loaded. Closing drops it, and with it what it holds.
    """

    def __init__(self, model: str, engine: Engine) -> None:
        self._model = model
        self._engine: Engine | None = engine
        self._inputs = engine.inputs
        self._outputs = engine.outputs

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """What :meth:`infer` takes, in the model's order."""
        return self._inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """What :meth:`infer` gives, in the model's order."""
        return self._outputs

    def infer(self, tensors: Mapping[str, Array]) -> Mapping[str, Array]:
        """Run the model once: see :meth:`.Backend.infer`."""
        engine = self._engine
        if engine is None:
            raise BackendError(f"{self._model} was closed")
        check_inputs(self._model, self._inputs, tensors)
        try:
            return engine.run(tensors)
        except engine.errors as error:
            raise BackendError(f"{engine.library} failed to run {self._model}: {error}") from error

    def close(self) -> None:
        """Release the model: see :meth:`.Backend.close`."""
        self._engine = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def import_engine(modules: tuple[str, ...], extra: str, *, has: str) -> ModuleType:
    """The first of these modules that is installed and whole.

    One that is broken, as by an update that was cut off, does not take a whole one along: it is warned of.

    Args:
        modules: Full names, the one to recommend first.
        extra: The extra of this distribution that brings that one.
        has: What each of them has, where it is whole.

    Raises:
        MissingExtraError: None is installed.
        BackendError: One is, but does not load, or is not whole; and none of the others can stand in.
    """
    failures: list[BackendError] = []
    for module in modules:
        try:
            found = _import_module(module, has)
        except BackendError as error:
            failures.append(error)
            continue
        if found is not None:
            for failure in failures:
                _warn_once(module, failure.message)
            return found
    if failures:
        told = "; ".join(failure.message for failure in failures)
        raise BackendError(told, hint=_REINSTALL_HINT) from failures[0]
    raise MissingExtraError(modules[0].partition(".")[0], extra)


def _import_module(module: str, has: str) -> ModuleType | None:
    """None where it is not installed."""
    try:
        found = importlib.import_module(module)
    # One that lacks what it stands on, or finds another release of it, fails in whatever way its loader does.
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        if isinstance(error, ModuleNotFoundError) and is_absent(module, error):
            return None
        raise BackendError(
            f"{module} is installed but does not load: {error}", hint=_REINSTALL_HINT
        ) from error
    if not hasattr(found, has):  # Python takes an empty folder for a package
        raise BackendError(f"{module} is installed but not whole: it has no {has}", hint=_REINSTALL_HINT)
    return found


@cache
def _warn_once(module: str, failure: str) -> None:
    """Each model that is opened imports it; once in a process tells it."""
    _log.warning("%s takes the place of what does not work: %s", module, failure)


@contextlib.contextmanager
def loading(library: str, model: str, errors: tuple[type[Exception], ...]) -> Iterator[None]:
    """Name what cannot be loaded, where the library refuses it within.

    Args:
        library: What to call it in messages.
        model: What to call the model.
        errors: What the library raises.

    Raises:
        BackendError: The library refused the model.
    """
    try:
        yield
    except errors as error:
        raise BackendError(
            f"{library} cannot load {model}: {error}",
            hint=f"convert the model again with this edge-sdk, or update {library}",
        ) from error

"""What NVIDIA's libraries raise, as an error of ours.

Their bindings turn C++'s ``std::bad_alloc`` into ``MemoryError``, ``std::invalid_argument`` into
``ValueError``, and what else derives from ``std::exception`` into ``RuntimeError``. Any of these may come
from any call. A call that a release does not have, or not in this form, is an ``AttributeError`` or a
``TypeError``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ...errors import BackendError

__all__ = [
    "FOREIGN_ERRORS",
    "MEMORY_HINT",
    "NOT_MADE",
    "NOT_STARTED_HINT",
    "as_backend_error",
    "hint_for",
]

FOREIGN_ERRORS: tuple[type[Exception], ...] = (RuntimeError, ValueError, MemoryError)
"""What any call may raise."""

NOT_MADE: tuple[type[Exception], ...] = (*FOREIGN_ERRORS, TypeError)
"""What a constructor raises: a ``TypeError`` where the library gives no object."""

_OTHER_RELEASE: tuple[type[Exception], ...] = (AttributeError, TypeError)

MEMORY_HINT = "end what else uses the GPU's memory, or run a smaller variant"

NOT_STARTED_HINT = "end what else uses the GPU's memory; `dmesg` may say more"
"""Where the library gives nothing to load a model with: mostly CUDA's fault, and never the model's."""

_WORDS_OF_MEMORY = ("bad_alloc", "out of memory", "OutOfMemory")


@contextlib.contextmanager
def as_backend_error(what: str, hint: str) -> Iterator[None]:
    """Name what failed, where a library of NVIDIA's raises within.

    Args:
        what: That failed, to begin the message with.
        hint: What to do about it; where it was memory, that is said instead.

    Raises:
        BackendError: The library raised.
    """
    try:
        yield
    except (*FOREIGN_ERRORS, *_OTHER_RELEASE) as error:
        told = str(error).strip() or "there is no memory for it"  # Python's own says nothing
        hint = MEMORY_HINT if isinstance(error, MemoryError) else hint_for(told, hint)
        raise BackendError(f"{what}: {type(error).__name__}: {told}", hint=hint) from error


def hint_for(told: str, otherwise: str) -> str:
    """What to do about a failure.

    Args:
        told: By the library.
        otherwise: What to do where that does not speak of memory.
    """
    return MEMORY_HINT if any(words in told for words in _WORDS_OF_MEMORY) else otherwise

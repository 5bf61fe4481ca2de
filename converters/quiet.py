"""TensorFlow without its chatter: a user sees our lines, and the library's only when it fails.

TensorFlow logs from C++ straight to file descriptors 1 and 2, from Python through absl and
``warnings``, and prints besides.
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from typing import Any, TextIO

from edge_sdk.errors import MissingExtraError

__all__ = ["import_tensorflow", "quiet_libraries"]


def import_tensorflow() -> Any:
    """The ``tensorflow`` module, loaded silently; silenced too where somebody else has loaded it.

    Raises:
        MissingExtraError: It is not installed.
    """
    loaded = sys.modules.get("tensorflow") or _load_tensorflow()
    loaded.get_logger().setLevel("ERROR")
    return loaded


def _load_tensorflow() -> Any:
    # What the C++ parts write goes by this from then on; it is read once.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault(
        "TF_ENABLE_ONEDNN_OPTS", "0"
    )  # same inputs, same bytes: its kernels round by machine load
    with quiet_libraries():
        try:
            import tensorflow as tf
        except ImportError as error:
            raise MissingExtraError("tensorflow", "convert") from error
    return tf


@contextlib.contextmanager
def quiet_libraries() -> Iterator[None]:
    """Silence libraries inside the block; what our own code writes to ``sys.stderr`` is still seen.

    Acts on the whole process, other threads included. A native crash inside still prints its stack.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    with (
        _native_output_discarded() as visible,
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(visible) if visible else contextlib.nullcontext(),
        _log_messages_discarded(),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _native_output_discarded() -> Iterator[TextIO | None]:
    """Point file descriptors 1 and 2 at nothing; yields a stream to the old 2 if ``sys.stderr`` was it."""
    if not _is_descriptor(sys.stderr, 2):
        # A test or an embedding application has replaced the stream; the descriptors are not ours.
        yield None
        return
    saved = os.dup(1), os.dup(2)
    crash_handler_was_on = faulthandler.is_enabled()
    try:
        with os.fdopen(os.dup(saved[1]), "w", buffering=1) as visible:
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, 1)
            os.dup2(nothing, 2)
            os.close(nothing)
            faulthandler.enable(file=visible)
            yield visible
    finally:
        for target, descriptor in zip((1, 2), saved, strict=True):
            os.dup2(descriptor, target)
            os.close(descriptor)
        if crash_handler_was_on:
            faulthandler.enable(sys.__stderr__ or sys.stderr)
        else:
            faulthandler.disable()


@contextlib.contextmanager
def _log_messages_discarded() -> Iterator[None]:
    """Drop what is logged inside, and let no handler that is made inside keep the stream of the block."""
    before, own = logging.root.manager.disable, sys.stderr
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
        handlers = list(logging.root.handlers)
        if absl_logging := sys.modules.get("absl.logging"):
            handlers.append(absl_logging.get_absl_handler().python_handler)
        for handler in handlers:
            if isinstance(handler, logging.StreamHandler) and handler.stream is own:
                handler.stream = sys.__stderr__ or sys.stderr


def _is_descriptor(stream: TextIO, descriptor: int) -> bool:
    try:
        return stream.fileno() == descriptor
    except (OSError, ValueError, AttributeError):
        return False

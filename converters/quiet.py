"""TensorFlow without its chatter: a user sees our lines, and the library's only when it fails.

TensorFlow logs from C++ straight to file descriptors 1 and 2, from Python through absl and
``warnings``, and prints besides.
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import os
import sys
import warnings
from collections.abc import Iterator
from typing import Any, TextIO

from edge_sdk.errors import MissingExtraError

__all__ = ["import_tensorflow", "quiet_libraries"]


def import_tensorflow() -> Any:
    """The ``tensorflow`` module, loaded silently.

    Raises:
        MissingExtraError: It is not installed.
    """
    if "tensorflow" in sys.modules:
        return sys.modules["tensorflow"]
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault(
        "TF_ENABLE_ONEDNN_OPTS", "0"
    )  # same inputs, same bytes: its kernels round by machine load
    with quiet_libraries():
        try:
            import tensorflow as tf
        except ImportError as error:
            raise MissingExtraError("tensorflow", "convert") from error
        tf.get_logger().setLevel("ERROR")
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


def _is_descriptor(stream: TextIO, descriptor: int) -> bool:
    try:
        return stream.fileno() == descriptor
    except (OSError, ValueError, AttributeError):
        return False

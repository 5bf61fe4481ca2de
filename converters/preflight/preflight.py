"""Asks TensorRT-RTX about models, one after the other, beside other work."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING

import msgspec

from edge_sdk.child_end import how_it_ended, last_lines
from edge_sdk.child_python import module_command
from edge_sdk.contract.manifest import BuildCheck, BuildRefusal
from edge_sdk.inference.tensorrt import library
from edge_sdk.inference.tensorrt.products import TENSORRT_RTX

from .build_process import Builder

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["TIME_LIMIT_S", "Preflight", "is_installed"]

TIME_LIMIT_S = 300.0
"""For one model: small ones take a second, ResNet-50 a few."""

_GRACE_S = 5.0


def is_installed() -> bool:
    """Whether TensorRT-RTX can be found; nothing is loaded."""
    return library.is_installed(TENSORRT_RTX)


class Preflight:
    """Models are given to it as they are made, and what it found is asked for when it is needed.

    A context manager: leaving it ends what still runs.

    Args:
        time_limit_s: For each model.
    """

    def __init__(self, time_limit_s: float = TIME_LIMIT_S) -> None:
        self._time_limit_s = time_limit_s
        self._worker = ThreadPoolExecutor(1, "preflight")
        self._asked: dict[str, Future[BuildCheck | str]] = {}
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    def ask(self, name: str, model: bytes) -> None:
        """Have a model built.

        Args:
            name: What to call it.
            model: Content of the ``.onnx`` file.
        """
        self._asked[name] = self._worker.submit(self._build, model)

    def results(self) -> tuple[dict[str, BuildCheck], str]:
        """Wait for all that was asked.

        Returns:
            What was found, by name; and why nothing was, where TensorRT-RTX does not load.
        """
        found: dict[str, BuildCheck] = {}
        failure = ""
        for name, future in self._asked.items():
            result = future.result()
            if isinstance(result, str):
                failure = result
            else:
                found[name] = result
        return found, failure

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._closed = True
            if self._process is not None:
                self._process.kill()
        self._worker.shutdown(cancel_futures=True)

    def _build(self, model: bytes) -> BuildCheck | str:
        with self._lock:
            if self._closed:
                return "nobody waits"
            self._process = _start(self._time_limit_s + _GRACE_S)
        process, is_late = self._process, False
        try:
            told, log = process.communicate(model, timeout=self._time_limit_s)
        except subprocess.TimeoutExpired:
            process.kill()
            told, log = process.communicate()
            is_late = True
        with self._lock:
            self._process = None
        builder, check = _read(told)
        if check is not None:
            return check
        if builder is None:
            return _last_line(log) or "it does not load"
        reason = (
            f"no end after {self._time_limit_s:g} s"
            if is_late
            else f"its builder {how_it_ended(process.returncode)}{_tail(log)}"
        )
        refusals = [BuildRefusal(reason=reason)]
        return BuildCheck(tool=builder.tool, version=builder.version, passed=False, refusals=refusals)


def _start(seconds: float) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        module_command(f"{__package__}.build_process", str(int(seconds))),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _read(told: bytes) -> tuple[Builder | None, BuildCheck | None]:
    """What a process said, as far as it came."""
    lines = told.splitlines()
    builder = check = None
    with contextlib.suppress(IndexError, ValueError):
        builder = msgspec.json.decode(lines[0], type=Builder)
        check = msgspec.json.decode(lines[1], type=BuildCheck)
    return builder, check


def _tail(log: bytes) -> str:
    line = _last_line(log)
    return f": {line}" if line else ""


def _last_line(log: bytes) -> str:
    return "".join(last_lines(log, 1))

"""The other parts of the SDK, run as a user would run them: as processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..errors import EdgeSdkError

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Child", "ConvertChild"]

_STOP_TIMEOUT_S = 20.0


def _python(*arguments: str) -> list[str]:
    # -P keeps a `device.py` in the current folder from standing in for ours.
    safe_path = ["-P"] if sys.version_info >= (3, 11) else []
    return [sys.executable, *safe_path, "-m", *arguments]


class ConvertChild:
    """``edge-sdk convert`` in our terminal, in a process that begins to build the base model at once.

    Args:
        module: The example's module that writes the base model.
        search_path: The folder that it is imported from.
        base: The file that it is to write.
        quiet: Send what is printed to standard error, which leaves standard output to us.
    """

    def __init__(self, module: str, search_path: Path, base: Path, *, quiet: bool) -> None:
        # TensorFlow would greet with a page about its instruction sets. The rest is as `convert` has it.
        settings = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
        self._process = subprocess.Popen(
            _python("edge_sdk.demo.convert_process", str(search_path), module, str(base)),
            stdin=subprocess.PIPE,
            stdout=sys.stderr if quiet else None,
            env={"CUDA_VISIBLE_DEVICES": "-1", **os.environ, **settings},
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _stop(self._process)
        if self._process.stdin is not None:
            self._process.stdin.close()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def convert(self, arguments: Sequence[str]) -> None:
        """Have it convert once the base is there, and wait until that is done.

        Args:
            arguments: What follows ``edge-sdk convert``.

        Raises:
            EdgeSdkError: The base could not be built, or the conversion failed; it has told why.
        """
        self._process.communicate(json.dumps(list(arguments)) + "\n")
        if code := self._process.returncode:
            raise EdgeSdkError(f"'edge-sdk convert' failed with exit code {code}")


class Child:
    """A verb that runs in the background until it ends, or is asked to.

    Args:
        verb: One of the verbs.
        arguments: What follows it.
        log: What it prints goes there.
    """

    def __init__(self, verb: str, arguments: Sequence[str], log: Path) -> None:
        self._verb = verb
        self._log = log
        with log.open("w", encoding="utf-8") as output:
            self._process = subprocess.Popen(
                _python("edge_sdk.cli", verb, *arguments), stdout=output, stderr=subprocess.STDOUT
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def require_success(self) -> None:
        """Check that it did its work.

        Raises:
            EdgeSdkError: It failed; its last line and its log are named.
        """
        code = self._process.wait()
        if code:
            lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            last = lines[-1] if lines else "it said nothing"
            raise EdgeSdkError(
                f"'edge-sdk {self._verb}' failed with exit code {code}: {last}",
                hint=f"all it said is in {self._log}",
            )

    def wait(self) -> None:
        """Wait until it ends, for as long as it takes."""
        self._process.wait()

    def stop(self) -> None:
        """Ask it to end (SIGTERM), and end it if it does not."""
        _stop(self._process)


def _stop(process: subprocess.Popen[Any]) -> None:
    """End a process by SIGTERM, or by SIGKILL if that does not help."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

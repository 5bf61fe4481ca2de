"""The other parts of the SDK, run as a user would run them: as processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from ..errors import EdgeSdkError

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Child", "run_module", "run_verb"]

_STOP_TIMEOUT_S = 20.0


def run_verb(verb: str, arguments: Sequence[str], *, quiet: bool) -> None:
    """Run ``edge-sdk VERB`` to its end, in our terminal.

    Args:
        verb: One of the verbs.
        arguments: What follows it.
        quiet: Send what it prints to standard error, which leaves standard output to us.

    Raises:
        EdgeSdkError: It failed; it has told why.
    """
    done = subprocess.run(_verb_command(verb, arguments), stdout=sys.stderr if quiet else None, check=False)
    if done.returncode:
        raise EdgeSdkError(f"'edge-sdk {verb}' failed with exit code {done.returncode}")


def run_module(module: str, search_path: Path, arguments: Sequence[str]) -> None:
    """Run a Python module of the examples to its end.

    Raises:
        EdgeSdkError: It failed; it has told why.
    """
    environment = {**os.environ, "PYTHONPATH": str(search_path)}
    # TensorFlow would greet with a page about its instructions sets.
    environment.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0")
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], env=environment, stdout=sys.stderr, check=False
    )
    if done.returncode:
        raise EdgeSdkError(f"{module} failed with exit code {done.returncode}")


def _verb_command(verb: str, arguments: Sequence[str]) -> list[str]:
    # -P keeps a `device.py` in the current folder from standing in for ours.
    safe_path = ["-P"] if sys.version_info >= (3, 11) else []
    return [sys.executable, *safe_path, "-m", "edge_sdk.cli", verb, *arguments]


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
                _verb_command(verb, arguments), stdout=output, stderr=subprocess.STDOUT
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
        if not self.is_running:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

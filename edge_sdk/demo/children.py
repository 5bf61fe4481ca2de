"""The other parts of the SDK, run as a user would run them: as processes of their own."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

from ..child_python import module_command
from ..errors import EdgeSdkError

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Child", "ConvertChild", "ask"]

_STOP_TIMEOUT_S = 20.0
_POLL_S = 0.05


class ConvertChild:
    """``edge-sdk convert`` in our terminal, in a process that begins to build the models at once.

    Args:
        search_path: The folder that modules are imported from.
        builds: Command lines, each the name of a module that writes a model, and what it is given.
        quiet: Send what is printed to standard error, which leaves standard output to us.
    """

    def __init__(self, search_path: Path, builds: Sequence[Sequence[str]], *, quiet: bool) -> None:
        # TensorFlow would greet with a page about its instruction sets. The rest is as `convert` has it.
        settings = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
        answers, done = os.pipe()
        given = (str(search_path), json.dumps(builds), str(done))
        self._answers = os.fdopen(answers)
        try:
            self._process = subprocess.Popen(
                module_command("edge_sdk.demo.convert_process", *given),
                stdin=subprocess.PIPE,
                stdout=sys.stderr if quiet else None,
                env={"CUDA_VISIBLE_DEVICES": "-1", **os.environ, **settings},
                pass_fds=[done],
                text=True,
            )
        finally:
            os.close(done)  # ours: the answers end when the process does

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _stop(self._process)
        self._answers.close()
        with contextlib.suppress(BrokenPipeError):  # what it was still to be told
            self._requests.close()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    @property
    def _requests(self) -> IO[str]:
        if self._process.stdin is None:
            raise ValueError("the process was started without a pipe")
        return self._process.stdin

    def convert(self, arguments: Sequence[str], log: Path | None = None) -> None:
        """Have it convert once the models are there, and wait until that is done.

        Args:
            arguments: What follows ``edge-sdk convert``.
            log: What it prints is added to this file, and it takes no time from what runs beside it;
                None: it prints in our terminal.

        Raises:
            EdgeSdkError: A model could not be built, or the conversion failed; it has told why.
        """
        request = {"arguments": list(arguments), "log": log and str(log)}
        with contextlib.suppress(BrokenPipeError):  # it has failed before: its code says so
            print(json.dumps(request), file=self._requests, flush=True)
        if not self._answers.readline():
            code = self._process.wait()
            if log is not None and log.is_file():
                raise _failure("convert", code, log)
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
                module_command("edge_sdk.cli", verb, *arguments), stdout=output, stderr=subprocess.STDOUT
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

    def wait_until_it_says(self, words: str, timeout_s: float = 60.0) -> None:
        """Wait for words among what it prints.

        Raises:
            EdgeSdkError: It ended without them, or did not print them in time.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            code = self._process.poll()  # before the look at what it said, which may be its last
            if words in self._log.read_text(encoding="utf-8", errors="replace"):
                return
            if code is not None:
                raise _failure(self._verb, code, self._log)
            if time.monotonic() >= deadline:
                raise EdgeSdkError(
                    f"'edge-sdk {self._verb}' did not say '{words}' within {timeout_s:g} s",
                    hint=f"all it said is in {self._log}",
                )
            time.sleep(_POLL_S)  # what it writes to a file can only be looked for

    def require_success(self) -> None:
        """Check that it did its work.

        Raises:
            EdgeSdkError: It failed; its last line and its log are named.
        """
        if code := self._process.wait():
            raise _failure(self._verb, code, self._log)

    def wait(self) -> None:
        """Wait until it ends, for as long as it takes."""
        self._process.wait()

    def stop(self) -> None:
        """Ask it to end (SIGTERM), and end it if it does not."""
        _stop(self._process)


def ask(verb: str, arguments: Sequence[str], log: Path) -> bytes:
    """What a verb prints on standard output; the rest goes to ``log``.

    Raises:
        EdgeSdkError: It failed; its last line and its log are named.
    """
    with log.open("w", encoding="utf-8") as output:
        command = module_command("edge_sdk.cli", verb, *arguments)
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=output, check=False)
    if done.returncode:
        raise _failure(verb, done.returncode, log)
    return done.stdout


def _failure(verb: str, code: int, log: Path) -> EdgeSdkError:
    printed = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    lines = [line for line in printed if not line.startswith("hint: ")]
    last = lines[-1] if lines else "it said nothing"
    return EdgeSdkError(
        f"'edge-sdk {verb}' failed with exit code {code}: {last}", hint=f"all it said is in {log}"
    )


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

"""One question to a process of its own: started, listened to, and explained where it dies.

So a library that crashes takes nothing along, and nothing that it has loaded counts for what comes after.
"""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import threading
from collections.abc import Callable
from typing import IO, Generic, TypeVar

import msgspec
from msgspec import Struct

from edge_sdk.child_end import how_it_ended, last_lines, was_killed
from edge_sdk.child_python import module_command

__all__ = ["ChildProcess", "Progressed"]

_TAIL_LINES = 5
_AnswerT = TypeVar("_AnswerT", bound=Struct)


class Progressed(Struct, frozen=True, kw_only=True, tag="progressed"):
    """How far it is, 0 to 1."""

    share: float


class ChildProcess(Generic[_AnswerT]):
    """A module of ours that reads one question on standard input and writes its answer as a line of JSON.

    Args:
        module: Run as ``python -m`` does.
        answer: What it answers, a tagged struct. Before that, it may tell how far it is.
    """

    def __init__(self, module: str, answer: type[_AnswerT]) -> None:
        self._command = module_command(module)
        self._answer = answer
        self._decoder: msgspec.json.Decoder[Struct] = msgspec.json.Decoder(Progressed | answer)

    def ask(
        self, question: Struct, limit_s: float, tell: Callable[[float], None] = lambda _: None
    ) -> _AnswerT | str:
        """Start it, and wait for its answer.

        Args:
            question: What to ask.
            limit_s: How long it may take; then it is ended.
            tell: Told how far it is, 0 to 1.

        Returns:
            The answer; of a process that died before, how it did.
        """
        overdue = threading.Event()
        with tempfile.TemporaryFile() as errors, self._started(errors) as process:
            timer = threading.Timer(limit_s, _end_overdue, (process, overdue))
            timer.start()
            try:
                answer = self._converse(process, question, tell)
                code = process.wait()
            finally:
                timer.cancel()
                process.kill()  # where we are interrupted, it must not go on alone
            if answer is not None:
                return answer
            return f"it took longer than {limit_s:g} s" if overdue.is_set() else _how_it_ended(code, errors)

    def _started(self, errors: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)

    def _converse(
        self, process: subprocess.Popen[bytes], question: Struct, tell: Callable[[float], None]
    ) -> _AnswerT | None:
        """Its answer; None where it died before."""
        if process.stdin is None or process.stdout is None:
            return None
        with contextlib.suppress(BrokenPipeError):  # it died at once: how will be told
            process.stdin.write(msgspec.json.encode(question))
            process.stdin.close()
        for line in process.stdout:
            try:
                message = self._decoder.decode(line)
            except msgspec.DecodeError:
                continue  # a library's own words, on a stream that should be ours
            if isinstance(message, self._answer):
                return message
            if isinstance(message, Progressed):
                tell(message.share)
        return None


def _end_overdue(process: subprocess.Popen[bytes], overdue: threading.Event) -> None:
    overdue.set()
    process.kill()


def _how_it_ended(code: int, errors: IO[bytes]) -> str:
    if was_killed(code):
        return "its process was killed, most likely because memory ran out"
    errors.seek(0)
    return "\n".join([f"its process {how_it_ended(code)}", *last_lines(errors.read(), _TAIL_LINES)])

"""What TensorRT says of an error. It says so in its log and nowhere else."""

from __future__ import annotations

import re
from collections import deque
from functools import cache
from typing import Any

__all__ = ["message_log"]

_KEPT = 50
_ERRORS = frozenset({"ERROR", "INTERNAL_ERROR"})


@cache
def message_log(trt: Any) -> Any:
    """The log for everything that this TensorRT makes in this process.

    One, and never dropped: TensorRT goes on to use the first log it was ever given. It has ``count``,
    how many errors there were so far, and ``since(count)``, the errors after so many as one text.

    Args:
        trt: TensorRT's module.
    """

    class Log(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.count = 0
            self._errors: deque[str] = deque(maxlen=_KEPT)

        def log(self, severity: Any, message: str) -> None:
            # Called from any thread, and by C++ that no exception may pass through.
            if severity.name in _ERRORS:
                self._errors.append(re.sub(r"\s+", " ", message).strip())
                self.count += 1

        def since(self, count: int) -> str:
            new = min(self.count - count, len(self._errors))
            told = list(self._errors)[len(self._errors) - new :]
            return "; ".join(dict.fromkeys(told)) or "it gives no reason"

    return Log()

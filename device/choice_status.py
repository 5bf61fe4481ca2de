"""What an error means for a choice that is checked or measured: one rule for ``verify`` and ``bench``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from edge_sdk.errors import (
    BackendUnavailableError,
    EdgeSdkError,
    MissingExtraError,
    UsageError,
)

__all__ = ["Status", "exit_code_where_nothing_ran", "status_of"]

Status = Literal["passed", "failed", "not_run"]
"""``not_run`` where a library, a driver, a device or an engine is missing: without one, nothing is wrong
with the bundle or with this machine. ``failed`` where something ran, or should have, and did not do well."""


def status_of(error: EdgeSdkError) -> Status:
    """What becomes of a choice that ended in an error."""
    return "not_run" if isinstance(error, (MissingExtraError, BackendUnavailableError)) else "failed"


def exit_code_where_nothing_ran(kinds: Iterable[str | None]) -> int:
    """What a verb ends in that could run nothing: what ``run``, ``predict`` and ``build`` end in then.

    A library that is not installed is wrong use. A driver, a device or an engine may be there the next time.

    Args:
        kinds: Of the errors in the way, as their classes are called.
    """
    return UsageError.exit_code if set(kinds) == {MissingExtraError.__name__} else EdgeSdkError.exit_code

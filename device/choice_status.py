"""What an error means for a choice that is checked or measured: one rule for ``verify`` and ``bench``."""

from __future__ import annotations

from typing import Literal

from edge_sdk.errors import BackendUnavailableError, EdgeSdkError, MissingExtraError

__all__ = ["Status", "status_of"]

Status = Literal["passed", "failed", "not_run"]
"""``not_run`` where a library, a driver, a device or an engine is missing: without one, nothing is wrong
with the bundle or with this machine. ``failed`` where something ran, or should have, and did not do well."""


def status_of(error: EdgeSdkError) -> Status:
    """What becomes of a choice that ended in an error."""
    return "not_run" if isinstance(error, (MissingExtraError, BackendUnavailableError)) else "failed"

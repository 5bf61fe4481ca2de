"""Why choices failed or were not run, for people: one form for ``verify`` and ``bench``."""

from __future__ import annotations

from collections.abc import Sequence

from edge_sdk.console.told_once import told_once

from .bench.messages import Measured
from .choice_check import ChoiceReport

__all__ = ["reason_lines"]


def reason_lines(reports: Sequence[ChoiceReport] | Sequence[Measured]) -> list[str]:
    """The reasons, each once with all whom it concerns, and what can be done about it below."""
    reasons = (
        (one.variant, (one.backend, one.status, one.reason, one.hint)) for one in reports if one.reason
    )
    lines: list[str] = []
    for names, (backend, status, reason, hint) in told_once(reasons):
        lines += ["", f"{names} on {backend} {status.replace('_', ' ')}: {reason}"]
        lines += [f"hint: {hint}"] if hint else []
    return lines

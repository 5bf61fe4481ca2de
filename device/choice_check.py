"""The golden samples of one choice, in this process or in one of its own: ``python -m device.choice_check``.

TensorRT and the driver below it may crash where an engine does not suit them. That must be told as a choice
that failed, and the others are checked all the same.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
from msgspec import Struct

from edge_sdk.contract.bundle import Bundle
from edge_sdk.errors import EdgeSdkError
from edge_sdk.inference.choice import Choice
from edge_sdk.inference.fallback import open_choice
from edge_sdk.inference.golden import run_golden
from edge_sdk.inference.golden_result import GoldenResult
from edge_sdk.inference.options import AS_SUITS_THIS_DEVICE, BackendName, EngineOptions

from .child_process import ChildProcess
from .choice_status import Status, status_of

__all__ = ["ChoiceReport", "check_choice", "check_in_process", "main"]

_LIMIT_S = 600.0


class ChoiceReport(Struct, frozen=True, kw_only=True, tag="checked"):
    """What became of one variant on one backend.

    Attributes:
        status: See :data:`.choice_status.Status`.
        golden: What the golden samples gave, where they could be run.
        error: What kind of error stood in the way, as its class is called; None where it was run to the end.
        reason: Why it failed or was not run.
        hint: What can be done about that.
    """

    variant: str
    backend: str
    status: Status
    golden: GoldenResult | None = None
    error: str | None = None
    reason: str | None = None
    hint: str | None = None

    @classmethod
    def of_error(cls, variant: str, backend: str, error: EdgeSdkError) -> ChoiceReport:
        """Of a choice that ended in an error."""
        return cls(
            variant=variant,
            backend=backend,
            status=status_of(error),
            error=type(error).__name__,
            reason=error.message,
            hint=error.hint,
        )


class _Question(Struct, frozen=True, kw_only=True):
    """What a process is asked: the choice, the digest of the bundle that it is of, and how it shall run."""

    bundle: str
    sha256: str
    variant: str
    backend: BackendName
    options: EngineOptions


def check_choice(
    bundle: Bundle, choice: Choice, options: EngineOptions = AS_SUITS_THIS_DEVICE
) -> ChoiceReport:
    """Run the golden samples on one variant; what goes wrong is in the report.

    Args:
        bundle: Verified.
        choice: One of its variants, and what shall run it.
        options: How that works.
    """
    name = choice.variant.name
    try:
        with open_choice(bundle, choice, options) as backend:
            result = run_golden(bundle, name, backend)
    except EdgeSdkError as error:
        return ChoiceReport.of_error(name, choice.backend, error)
    if result.passed:
        return ChoiceReport(variant=name, backend=choice.backend, status="passed", golden=result)
    reason = result.difference
    return ChoiceReport(variant=name, backend=choice.backend, status="failed", golden=result, reason=reason)


def check_in_process(
    bundle: Bundle, choice: Choice, options: EngineOptions, *, limit_s: float = _LIMIT_S
) -> ChoiceReport:
    """As :func:`check_choice` in a process of its own."""
    question = _Question(
        bundle=str(bundle.path.absolute()),
        sha256=bundle.sha256,
        variant=choice.variant.name,
        backend=choice.backend,
        options=options,
    )
    answer = ChildProcess(__name__, ChoiceReport).ask(question, limit_s)
    if isinstance(answer, ChoiceReport):
        return answer
    return ChoiceReport(variant=choice.variant.name, backend=choice.backend, status="failed", reason=answer)


def main() -> None:
    """Answer the question on standard input."""
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=_Question)
    try:
        bundle = Bundle.open(Path(asked.bundle), require_sha256=asked.sha256)
        choice = Choice(bundle.manifest.variant(asked.variant), asked.backend)
        report = check_choice(bundle, choice, asked.options)
    except EdgeSdkError as error:  # the file was exchanged meanwhile
        report = ChoiceReport.of_error(asked.variant, asked.backend, error)
    sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()

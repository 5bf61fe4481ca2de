"""What ``edge-sdk convert`` says of each variant of a model that can be judged on labelled samples."""

from __future__ import annotations

import contextlib
from pathlib import Path

from msgspec import Struct

from converters.conversion import run_conversion
from converters.report.report_file import Outcome, Report
from converters.request import Request
from converters.variants.recipes import RECIPES
from edge_sdk.console.progress import LineProgress
from edge_sdk.contract.manifest import Metric
from edge_sdk.errors import DatasetError, GateRefusedError

from .cases import Prepared

__all__ = ["GateReport", "GateVerdict", "ask_gate"]


class GateVerdict(Struct, frozen=True, kw_only=True):
    """What became of one variant.

    Attributes:
        outcome, reason: See :class:`converters.report.report_file.VariantReport`; the others too.
    """

    outcome: Outcome
    reason: str = ""
    metric: Metric | None = None
    drop: float | None = None
    agreement: float | None = None


class GateReport(Struct, frozen=True, kw_only=True):
    """What became of one model.

    Attributes:
        what: The samples that judged.
        source_name: What its variants were held against.
        source: The metric of that.
        max_drop: How much of it they might lose.
        variants: By name.
    """

    what: str
    source_name: str
    source: Metric
    max_drop: float
    variants: dict[str, GateVerdict]


def ask_gate(prepared: Prepared, folder: Path) -> GateReport:
    """Convert a model into every variant that its source allows, as a user would.

    Args:
        prepared: The model, and the samples that judge.
        folder: For the bundle.

    Raises:
        InputError: The model or samples cannot be used.
    """
    labelled = prepared.labelled
    if labelled is None:
        raise DatasetError("there are no labelled samples to judge by")
    request = Request(
        models=prepared.models,
        spec=prepared.spec,
        calibration=labelled.calibration,
        evaluation=labelled.evaluation,
        output=folder / "judged.edge",
        variants=("tflite", "onnx", *RECIPES),
        force=True,
    )
    shown: list[Report] = []
    with contextlib.suppress(GateRefusedError):  # where nothing passes, that is what the page has to say
        run_conversion(request, LineProgress(), lambda report, _latency: shown.append(report))
    (report,) = shown
    file = " + ".join(path.name for path in prepared.models)
    return _summary(report, labelled.what, file)


def _summary(report: Report, what: str, file: str) -> GateReport:
    if report.source.metric is None:
        raise DatasetError("the source was not judged")
    return GateReport(
        what=what,
        source_name=report.source.name,
        source=report.source.metric,
        max_drop=report.max_drop,
        variants={
            item.name: GateVerdict(
                outcome=item.outcome,
                reason=item.reason.replace(file, "the source"),
                metric=item.metric,
                drop=item.drop,
                agreement=item.agreement,
            )
            for item in report.variants
        },
    )

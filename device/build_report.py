"""What became of the engines that ``edge-sdk build`` was to build."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from edge_sdk.console.table import text_table
from edge_sdk.console.told_once import told_once
from edge_sdk.contract.bundle import Bundle
from edge_sdk.inference.tensorrt.fingerprint import Fingerprint
from edge_sdk.inference.tensorrt.products import TENSORRT_RTX
from edge_sdk.inference.tensorrt.refusal import Refusal
from edge_sdk.inference.tensorrt.trial_mark import TrialSettings

__all__ = ["BuildReport", "BuildSummary"]


class BuildReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one variant.

    Attributes:
        status: ``built``; ``found``, where the engine was there; ``refused`` by TensorRT; ``failed``.
        file: The engine, where there is one.
        bytes: Its size.
        build_s: How long it took; None where it was found.
        ran_here: Whether it ran on the GPU of this computer.
        fingerprint: What it was built of, by and for.
        removed: Older engines, whose place it takes.
        refusals: Operators, nodes and reasons, where it is refused.
        reason: Why there is no engine, in one text.
        hint: What to do about that.
    """

    variant: str
    status: str
    file: str | None = None
    bytes: int | None = None
    build_s: float | None = None
    ran_here: bool = False
    fingerprint: Fingerprint | None = None
    removed: list[str] = []
    refusals: list[Refusal] = []
    reason: str | None = None
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class BuildSummary:
    """What became of a bundle.

    Attributes:
        cache: Where its engines are.
        config: The file that ``--config`` named.
        settings: With which they were tried.
        reports: One a variant.
        says: Whether that file says anything of it; else these are the defaults.
    """

    bundle: Bundle
    cache: Path
    config: Path | None
    settings: TrialSettings
    reports: list[BuildReport]
    says: bool

    @property
    def passed(self) -> bool:
        """Whether there is an engine of each."""
        return all(report.file is not None for report in self.reports)

    def document(self) -> dict[str, Any]:
        """For ``--json``."""
        manifest = self.bundle.manifest
        config = None if self.config is None else str(self.config)
        return {
            "bundle": {"name": manifest.name, "version": manifest.version, "sha256": self.bundle.sha256},
            "cache": str(self.cache),
            "settings": {"config": config, **msgspec.to_builtins(self.settings)},
            "passed": self.passed,
            "variants": [msgspec.to_builtins(report) for report in self.reports],
        }

    def _settings_lines(self) -> list[str]:
        if self.config is None:
            return []
        if not self.says:
            return [f"{self.config} sets nothing below [inference.tensorrt]: with the defaults"]
        return [f"with the settings of {self.config}: {self.settings}"]

    def text(self) -> str:
        """For people."""
        manifest, reports = self.bundle.manifest, self.reports
        rows = [[report.variant, report.status, *_figures(report)] for report in reports]
        headings = ["variant", "engine", "MB", "build s", "ran here", "for", "by"]
        lines = [
            f"{manifest.name} {manifest.version}: engines in {self.cache}",
            *self._settings_lines(),
            "",
            text_table(headings, rows, numbers=[2, 3]),
        ]
        failed = (
            (one.variant, (one.status, one.reason, one.hint)) for one in reports if one.reason is not None
        )
        for names, (status, reason, hint) in told_once(failed):
            lines += ["", f"{names} {status}: {reason}", *([f"hint: {hint}"] if hint else [])]
        removed = sum(len(report.removed) for report in reports)
        if removed:
            lines += ["", f"{removed} removed: of an older model, TensorRT or driver; these took their place"]
        notes = dict.fromkeys(_note(one.fingerprint) for one in reports if one.fingerprint is not None)
        return "\n".join([*lines, *(f"\n{note}" for note in notes if note)])


def _figures(report: BuildReport) -> list[str]:
    made = report.fingerprint
    if made is None or report.bytes is None:
        return ["-", "-", "-", "-", "-"]
    return [
        f"{report.bytes / 1e6:.1f}",
        "-" if report.build_s is None else f"{report.build_s:.1f}",
        "yes" if report.ran_here else "no",
        made.board or f"compute capability {made.compute_capability}",
        f"{made.product} {made.version}",
    ]


def _note(made: Fingerprint) -> str:
    if made.product != TENSORRT_RTX:
        return ""
    return (
        f"An engine of {TENSORRT_RTX} runs only on cards of compute capability {made.compute_capability},\n"
        f"under exactly {TENSORRT_RTX} {made.version}; never on a Jetson, where TensorRT builds its own."
    )

"""The part of the page that tells what the gate says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from converters.report.report_file import Outcome
from edge_sdk.contract.manifest import Metric

from .cases import CASES
from .gate import GateReport, GateVerdict
from .notes import Notes

__all__ = ["gate_section", "short_reason", "verdict_link"]

_HEAD = """
## What the gate says

What `edge-sdk convert` makes of these models: of every variant that can be made from the source, the
metric on labelled samples, its drop against the first line, and agreement, the share of samples decided as
there ([the gate](../explanation/accuracy-gate.md) tells what the words mean). A drop may not be more than
the budget, `--max-drop`, of the metric and of any one label: its default of 0.01, which a single sample of
few exceeds, and then refuses the variant. Where samples are few, a drop of nothing shows no more than that
the variant is not broken.
"""

_WORDS: dict[Outcome, str] = {"passed": "kept", "refused": "refused", "left_out": "not made"}


def gate_section(gates: Mapping[str, GateReport], absent: Iterable[str], notes: Notes) -> list[str]:
    """Its lines; none without models.

    Args:
        gates: By the name of the case.
        absent: Cases that have none.
        notes: For reasons.
    """
    if not gates:
        return []
    lines = [_HEAD]
    unjudged: dict[str, list[str]] = {}
    for name in absent:
        unjudged.setdefault(CASES[name].unjudged, []).append(CASES[name].title)
    lines += [f"Not asked of {'; '.join(titles)}: {reason}." for reason, titles in unjudged.items() if reason]
    for name, gate in gates.items():
        lines += _model(name, gate, notes)
    return lines


def verdict_link(name: str, variant: str, gates: Mapping[str, GateReport]) -> str:
    """What the gate says of one variant, leading to the rest; empty where it was not asked."""
    if name not in gates or variant not in gates[name].variants:
        return ""
    word = _WORDS[gates[name].variants[variant].outcome]
    return f"[{word}](#{_anchor(_heading(name))})"


def short_reason(verdict: GateVerdict) -> str:
    """Without the samples that are furthest off, which are for who has the files."""
    return verdict.reason.partition("; furthest off")[0]


def _model(name: str, gate: GateReport, notes: Notes) -> list[str]:
    source = gate.source
    interval = "" if source.low is None or source.high is None else f" ({source.low:.3f}-{source.high:.3f})"
    lines = [
        f"\n### {_heading(name)}\n",
        f"Judged on {source.n} {gate.what}. Budget {gate.max_drop:g}.\n",
        f"| variant | `{source.name}` | drop | agreement | gate |",
        "|---|---|---|---|---|",
        f"| {_source_name(gate)} | {source.value:.4f}{interval} | | | |",
    ]
    absent: dict[str, list[str]] = {}
    for variant, verdict in gate.variants.items():
        if verdict.metric is None:
            absent.setdefault(verdict.reason, []).append(variant)
        else:
            lines.append(_variant(variant, verdict, verdict.metric, notes))
    if absent:
        each = (f"{', '.join(variants)} {notes.mark(reason)}" for reason, variants in absent.items())
        lines.append(f"\nNot made: {'; '.join(each)}.")
    return lines


def _source_name(gate: GateReport) -> str:
    return gate.source_name if "source" in gate.source_name else f"source, by {gate.source_name}"


def _variant(name: str, verdict: GateVerdict, metric: Metric, notes: Notes) -> str:
    drop = "" if verdict.drop is None else f"{verdict.drop:+.4f}"
    agreement = "" if verdict.agreement is None else f"{verdict.agreement:.4f}"
    outcome = _WORDS[verdict.outcome]
    if verdict.outcome != "passed":
        outcome = f"**{outcome}** {notes.mark(short_reason(verdict))}"
    return f"| {name} | {metric.value:.4f} | {drop} | {agreement} | {outcome} |"


def _heading(name: str) -> str:
    return f"The gate: {CASES[name].title}"


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")

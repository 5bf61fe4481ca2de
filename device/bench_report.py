"""What ``edge-sdk bench`` has measured: for people and for ``--json``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from edge_sdk.console.told_once import told_once
from edge_sdk.contract.bundle import Bundle
from edge_sdk.contract.manifest import Manifest
from edge_sdk.inference.choice import Choice
from edge_sdk.inference.options import AS_SUITS_THIS_DEVICE

from .bench.energy import NoMeterError, find_meter
from .bench.messages import Figures, Measured
from .bench.noise import within_noise
from .bench.table import bench_table
from .choice_reasons import reason_lines
from .choice_status import exit_code_where_nothing_ran
from .inference_settings import InferenceSettings
from .library_versions import inference_versions
from .machine import this_machine
from .picks import Pick
from .reported import bundle_reference

__all__ = ["BenchReport", "Fastest"]


class Fastest(NamedTuple):
    """The fastest that passes, and its figures."""

    measured: Measured
    figures: Figures

    def __str__(self) -> str:
        return f"{self.measured.variant} on {self.measured.backend}, {self.figures.median_ms:.3g} ms"


@dataclass(frozen=True, slots=True)
class BenchReport:
    """What was measured of a bundle.

    Attributes:
        settings: With which it ran.
        choices: What was to be measured.
        results: One a choice.
        threads: Numbers of threads, in their order.
        duration_s: How long each of them was measured.
    """

    bundle: Bundle
    settings: InferenceSettings
    choices: Sequence[Choice]
    results: Sequence[Measured]
    threads: Sequence[int]
    duration_s: float

    @property
    def fastest(self) -> Fastest | None:
        """The one with the least median among those that pass; None where none does."""
        passed = [Fastest(one, one.figures) for one in self.results if one.status == "passed" and one.figures]
        return min(passed, key=lambda one: one.figures.median_ms, default=None)

    @property
    def nothing_ran(self) -> bool:
        """Whether something is missing here for each of them."""
        return all(one.status == "not_run" for one in self.results)

    @property
    def exit_code(self) -> int:
        """0 where at least one passed; 2 where only libraries are missing, and nothing was run; else 1."""
        if self.fastest is not None:
            return 0
        return exit_code_where_nothing_ran(one.error for one in self.results) if self.nothing_ran else 1

    def text(self) -> str:
        """For people, but for :meth:`verdict`."""
        manifest, own = self.bundle.manifest, self.settings.options.threads
        counts, times = ", ".join(map(str, self.threads)), "1 thread" if own == 1 else f"{own} threads"
        lines = [
            f"{manifest.name} {manifest.version}, sha256 {self.bundle.sha256[:12]}",
            str(this_machine()),
            ", ".join(f"{name} {version}" for name, version in inference_versions().items()),
            *self.settings.lines(self.choices),
            f"{self.duration_s:g} s each; times in ms with {times}; inferences per s with {counts} threads",
            f"energy: {_energy()}",
            "",
            bench_table(self.results),
            *reason_lines(self.results),
        ]
        warnings = [(one.variant, (one.backend, warning)) for one in self.results for warning in one.warnings]
        lines += [""] if warnings else []
        lines += [f"{names} on {backend}: {warning}" for names, (backend, warning) in told_once(warnings)]
        return "\n".join(lines)

    def verdict(self, *, picked: bool) -> str:
        """What a person takes with them.

        Args:
            picked: Whether the fastest was kept.
        """
        best = self.fastest
        if best is None and self.nothing_ran:
            return "nothing was measured: what could run it is not here, or does not work here"
        if best is None:
            return "nothing that could be run passes its golden samples"
        notes = _price(self.bundle.manifest, best) + _noise(best, self.results)
        if picked:
            notes = self._needed_settings(best) + notes
            return f"picked: {best}. `run` and `predict` take it from now on, unless told otherwise{notes}"
        which = "fastest that passes" if len(self.results) > 1 else "it passes"
        return f"{which}: {best}; --pick makes `run` and `predict` take it{notes}"

    def _needed_settings(self, best: Fastest) -> str:
        """A pick is a variant and a backend; its settings are those of whoever runs it."""
        is_usual = self.pick(best).other_settings(AS_SUITS_THIS_DEVICE) is None
        return (
            ""
            if is_usual
            else f"\nnote: give them {self.settings.path}, too: it was measured with its settings"
        )

    def pick(self, best: Fastest) -> Pick:
        """The fastest, as it is kept."""
        return Pick(
            bundle=bundle_reference(self.bundle),
            variant=best.measured.variant,
            backend=best.measured.backend,
            median_ms=best.figures.median_ms,
            machine=this_machine(),
            versions=inference_versions(),
            settings=self.settings.options,
        )

    def document(self) -> dict[str, Any]:
        """For ``--json``, but for what became of a pick."""
        try:
            sensor, why_not = find_meter().name, None
        except NoMeterError as error:
            sensor, why_not = None, error.message
        best = self.fastest
        return {
            "bundle": msgspec.to_builtins(bundle_reference(self.bundle)),
            "machine": msgspec.to_builtins(this_machine()),
            "versions": inference_versions(),
            "settings": self.settings.document(),
            "threads": list(self.threads),
            "seconds": self.duration_s,
            "energy": {"sensor": sensor, "reason": why_not},
            "results": [_entry(one) for one in self.results],
            "fastest": best and _name(best.measured),
            "within_noise": [_name(one) for one in within_noise(best.measured, self.results)] if best else [],
        }


def _energy() -> str:
    try:
        return find_meter().name
    except NoMeterError as error:
        return f"- ({error.message})"


def _noise(best: Fastest, results: Sequence[Measured]) -> str:
    """Whose place behind the fastest may be chance."""
    alike = within_noise(best.measured, results)
    if not alike:
        return ""
    names = ", ".join(f"{one.variant} on {one.backend}" for one in alike)
    return (
        f"\nnote: within noise of it: {names}\n"
        "(medians of fifths of their runs overlap, so their order may be chance; more --seconds tell more)"
    )


def _price(manifest: Manifest, best: Fastest) -> str:
    """What speed costs where the bundle prefers a variant that decides more like the trained model."""
    fast, preferred = (
        manifest.variant(best.measured.variant),
        manifest.variant(manifest.stages[0].variants[0]),
    )
    if fast.agreement >= preferred.agreement:
        return ""
    return (
        f"\nnote: of the samples that judged the conversion it decided {fast.agreement:.2%} as the trained "
        f"model does, {preferred.name}, which the bundle prefers, {preferred.agreement:.2%}"
    )


def _name(measured: Measured) -> dict[str, str]:
    return {"variant": measured.variant, "backend": measured.backend}


def _entry(measured: Measured) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(measured)
    return {name: value for name, value in told.items() if name != "type"}

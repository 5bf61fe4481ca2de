"""What the board tells of the energy that it takes: RAPL on x86, the power monitors of a Jetson.

Both see more than one process: RAPL the processor's package, a Jetson's monitors the whole module.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from edge_sdk.errors import EdgeSdkError

__all__ = ["EnergyMeter", "NoMeterError", "find_meter"]

_ROOT = Path("/")
_SAMPLE_S = 0.05
_MONITORS = ("ina3221", "ina219", "ina226", "ina260")
_INPUT_RAILS = ("VDD_IN", "POM_5V_IN", "VIN_SYS_5V0_IN")


class NoMeterError(EdgeSdkError):
    """Nothing here tells of energy; the message says why."""


class EnergyMeter(Protocol):
    """Counts energy between two moments.

    Attributes:
        name: What it sees.
    """

    name: str

    def start(self) -> None:
        """Begin to count.

        Raises:
            NoMeterError: That cannot be done any more.
        """
        ...

    def stop(self) -> float:
        """Joules since :meth:`start`.

        Raises:
            NoMeterError: They could not be counted all the while.
        """
        ...


def find_meter(root: Path = _ROOT) -> EnergyMeter:
    """What this board has.

    Args:
        root: Where the system's files are.

    Raises:
        NoMeterError: Nothing, or nothing that this user may read.
    """
    try:
        return _open_monitors(root)
    except NoMeterError as no_monitor:
        try:
            return _open_rapl(root)
        except NoMeterError as error:
            raise NoMeterError(f"{no_monitor.message}; {error.message}") from error


class RaplMeter:
    """Running Average Power Limit: counters of microjoules, one a package, that begin anew when full.

    Args:
        zones: Folders of the packages.
    """

    def __init__(self, zones: Sequence[Path]) -> None:
        self.name = "RAPL, " + ", ".join(_read(zone / "name") for zone in zones)
        self._counters = [zone / "energy_uj" for zone in zones]
        self._ranges = [int(_read(zone / "max_energy_range_uj")) for zone in zones]
        self._began: list[int] = []

    def start(self) -> None:
        """See :class:`EnergyMeter`."""
        self._began = self._counted()

    def stop(self) -> float:
        """See :class:`EnergyMeter`."""
        pairs = zip(self._began, self._counted(), self._ranges, strict=True)
        return sum((after - before) % (largest + 1) for before, after, largest in pairs) / 1e6

    def probe(self) -> None:
        """Read each counter once.

        Raises:
            OSError: One may not be read.
            ValueError: One gives no number.
        """
        self._counts()

    def _counted(self) -> list[int]:
        try:
            return self._counts()
        except (OSError, ValueError) as error:
            raise NoMeterError(f"the RAPL counters broke off: {error}") from error

    def _counts(self) -> list[int]:
        return [int(_read(counter)) for counter in self._counters]


class PowerMonitors:
    """Chips that measure voltage and current of supply rails, asked twenty times a second.

    Args:
        rails: By name: files of millivolts and milliamperes.
        clock: Seconds, from any beginning.
    """

    def __init__(
        self, rails: dict[str, tuple[Path, Path]], clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.name = "power of " + ", ".join(rails)
        self._rails = list(rails.values())
        self._clock = clock
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._joules = 0.0
        self._failure: OSError | ValueError | None = None

    def start(self) -> None:
        """See :class:`EnergyMeter`."""
        self._joules, self._failure = 0.0, None
        self._stopping.clear()
        self._thread = threading.Thread(target=self._sample, name="energy", daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """See :class:`EnergyMeter`."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        if self._failure is not None:  # what was counted until then is less than there was
            raise NoMeterError(f"the {self.name} broke off: {self._failure}") from self._failure
        return self._joules

    def probe(self) -> None:
        """Read each rail once.

        Raises:
            OSError: One may not be read.
            ValueError: One gives no number.
        """
        self._watts()

    def _sample(self) -> None:
        try:
            self._add_up()
        except (OSError, ValueError) as error:
            self._failure = error

    def _add_up(self) -> None:
        before, watts = self._clock(), self._watts()
        stopped = False
        while not stopped:
            stopped = self._stopping.wait(_SAMPLE_S)
            now, next_watts = self._clock(), self._watts()
            self._joules += (now - before) * (watts + next_watts) / 2
            before, watts = now, next_watts

    def _watts(self) -> float:
        return sum(int(_read(volts)) * int(_read(amperes)) for volts, amperes in self._rails) / 1e6


def _open_rapl(root: Path) -> EnergyMeter:
    powercap = root / "sys/class/powercap"
    zones = [zone for zone in sorted(powercap.glob("intel-rapl:*")) if zone.name.count(":") == 1]
    packages = [zone for zone in zones if _name_of(zone).startswith("package")]
    if not packages:
        raise NoMeterError(f"no RAPL below {powercap}")
    try:
        meter = RaplMeter(packages)
        meter.probe()
    except PermissionError as error:
        raise NoMeterError(f"only root may read the RAPL counters below {powercap}") from error
    except (OSError, ValueError) as error:
        raise NoMeterError(f"the RAPL counters below {powercap} cannot be read: {error}") from error
    return meter


class _Rail(NamedTuple):
    """A supply rail that a chip measures, with its files of millivolts and milliamperes."""

    label: str
    chip: str
    volts: Path
    amperes: Path


def _open_monitors(root: Path) -> EnergyMeter:
    folder = root / "sys/class/hwmon"
    try:
        chips = [chip for chip in sorted(folder.glob("hwmon*")) if _name_of(chip) in _MONITORS]
        rails = [rail for chip in chips for rail in _rails_of(chip)]
        if not rails:
            raise NoMeterError(f"no power monitor below {folder}")
        whole = [rail for rail in rails if rail.label in _INPUT_RAILS]
        meter = PowerMonitors(_by_name(whole or rails))
        meter.probe()
    except (OSError, ValueError) as error:
        raise NoMeterError(f"the power monitors below {folder} cannot be read: {error}") from error
    return meter


def _by_name(rails: Sequence[_Rail]) -> dict[str, tuple[Path, Path]]:
    """By label, with the chip where several have a rail of that label."""
    n_of_label = Counter(rail.label for rail in rails)
    return {
        rail.label if n_of_label[rail.label] == 1 else f"{rail.label} ({rail.chip})": (
            rail.volts,
            rail.amperes,
        )
        for rail in rails
    }


def _rails_of(chip: Path) -> list[_Rail]:
    """The chip also adds up its shunts, which is no rail: that has no current of its own."""
    rails = []
    for label in sorted(chip.glob("in*_label")):
        number = label.name.removeprefix("in").removesuffix("_label")
        volts, amperes = chip / f"in{number}_input", chip / f"curr{number}_input"
        if volts.is_file() and amperes.is_file():
            rails.append(_Rail(_read(label), chip.name, volts, amperes))
    return rails


def _name_of(folder: Path) -> str:
    try:
        return _read(folder / "name")
    except OSError:
        return ""


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()

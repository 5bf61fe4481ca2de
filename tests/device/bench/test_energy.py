"""Energy is what the board's own counters say; where none can be read, that is said."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from device.bench.energy import NoMeterError, PowerMonitors, find_meter


def write(root: Path, files: dict[str, object]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{content}\n", encoding="utf-8")


def package(number: int, energy_uj: int, largest: int = 262_143_328_850) -> dict[str, object]:
    zone = f"sys/class/powercap/intel-rapl:{number}"
    return {
        f"{zone}/name": f"package-{number}",
        f"{zone}/energy_uj": energy_uj,
        f"{zone}/max_energy_range_uj": largest,
        f"{zone}:0/name": "core",  # a part of the package: it must not count twice
        f"{zone}:0/energy_uj": energy_uj // 2,
        f"{zone}:0/max_energy_range_uj": largest,
    }


def rail(chip: str, number: int, label: str, millivolts: int, milliamperes: int) -> dict[str, object]:
    folder = f"sys/class/hwmon/{chip}"
    return {
        f"{folder}/in{number}_label": label,
        f"{folder}/in{number}_input": millivolts,
        f"{folder}/curr{number}_input": milliamperes,
    }


def test_rapl_adds_up_the_packages(tmp_path: Path) -> None:
    write(tmp_path, {**package(0, 1_000_000), **package(1, 5_000_000)})
    meter = find_meter(tmp_path)
    assert meter.name == "RAPL, package-0, package-1"
    meter.start()
    write(tmp_path, {**package(0, 3_500_000), **package(1, 6_000_000)})
    assert meter.stop() == pytest.approx(3.5)


def test_a_rapl_counter_that_began_anew_is_no_negative_energy(tmp_path: Path) -> None:
    write(tmp_path, package(0, 9_999_000, largest=9_999_999))
    meter = find_meter(tmp_path)
    meter.start()
    write(tmp_path, package(0, 499_000, largest=9_999_999))
    assert meter.stop() == pytest.approx(0.5)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_rapl_that_root_alone_may_read_says_so(tmp_path: Path) -> None:
    write(tmp_path, package(0, 1))
    (tmp_path / "sys/class/powercap/intel-rapl:0/energy_uj").chmod(0)
    with pytest.raises(NoMeterError, match="only root may read the RAPL counters"):
        find_meter(tmp_path)


def test_a_counter_that_is_no_number_says_so(tmp_path: Path) -> None:
    write(tmp_path, {**package(0, 1), "sys/class/powercap/intel-rapl:0/energy_uj": "none"})
    with pytest.raises(NoMeterError, match="cannot be read"):
        find_meter(tmp_path)


def test_a_board_without_sensors_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(NoMeterError, match=r"no power monitor below .*; no RAPL below "):
        find_meter(tmp_path)


def test_a_jetson_is_measured_at_its_input_and_its_parts_do_not_count_twice(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "sys/class/hwmon/hwmon0/name": "cpu_thermal",
            "sys/class/hwmon/hwmon3/name": "ina3221",
            **rail("hwmon3", 1, "VDD_IN", 5_000, 1_200),
            **rail("hwmon3", 2, "VDD_CPU_GPU_CV", 5_000, 400),
            "sys/class/hwmon/hwmon3/in7_label": "sum of shunt voltages",
            "sys/class/hwmon/hwmon3/in7_input": 12,
        },
    )
    assert find_meter(tmp_path).name == "power of VDD_IN"


def test_a_board_whose_rails_have_no_common_input_is_the_sum_of_them(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "sys/class/hwmon/hwmon3/name": "ina3221",
            **rail("hwmon3", 1, "VDD_GPU_SOC", 20_000, 100),
            **rail("hwmon3", 2, "VDD_CPU_CV", 20_000, 50),
        },
    )
    assert find_meter(tmp_path).name == "power of VDD_GPU_SOC, VDD_CPU_CV"


def clock(seconds: list[float]) -> Callable[[], float]:
    return iter(seconds).__next__


def test_power_is_added_up_over_time(tmp_path: Path) -> None:
    """6 W for 0.5 s, however often it was asked; the clock has as many ticks as a run of one sample takes."""
    write(tmp_path, rail("hwmon3", 1, "VDD_IN", 5_000, 1_200))
    folder = tmp_path / "sys/class/hwmon/hwmon3"
    rails = {"VDD_IN": (folder / "in1_input", folder / "curr1_input")}
    ticks = [index / 1_000 for index in range(10_000)]
    meter = PowerMonitors(rails, clock(ticks))
    meter.start()
    joules = meter.stop()
    samples = round(joules / (6.0 * 0.001))
    assert samples >= 1
    assert joules == pytest.approx(6.0 * 0.001 * samples)


def jetson(root: Path, *, milliamperes: object = 1_000) -> Path:
    """A board with one power monitor; gives the file of its current."""
    write(root, {"sys/class/hwmon/hwmon3/name": "ina3221", **rail("hwmon3", 1, "VDD_IN", 5_000, 1_000)})
    current = root / "sys/class/hwmon/hwmon3/curr1_input"
    current.write_text(f"{milliamperes}\n", encoding="utf-8")
    return current


@pytest.mark.parametrize("broken", ["", "none"])
def test_a_monitor_that_breaks_off_gives_no_energy_rather_than_too_little(
    tmp_path: Path, broken: str
) -> None:
    current = jetson(tmp_path)
    meter = find_meter(tmp_path)
    current.write_text(broken, encoding="utf-8")
    meter.start()
    with pytest.raises(NoMeterError, match="the power of VDD_IN broke off: invalid literal"):
        meter.stop()
    current.write_text("1000", encoding="utf-8")
    meter.start()
    assert meter.stop() > 0.0


def test_a_monitor_that_gives_no_number_is_none_and_rapl_is_asked(tmp_path: Path) -> None:
    jetson(tmp_path, milliamperes="none")
    with pytest.raises(NoMeterError, match=r"the power monitors below .* cannot be read: .*; no RAPL below"):
        find_meter(tmp_path)
    write(tmp_path, package(0, 1_000_000))
    assert find_meter(tmp_path).name == "RAPL, package-0"


def test_a_label_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    jetson(tmp_path)
    label = tmp_path / "sys/class/hwmon/hwmon3/in1_label"
    label.unlink()
    label.mkdir()
    with pytest.raises(NoMeterError, match=r"the power monitors below .* cannot be read"):
        find_meter(tmp_path)


def test_rapl_that_breaks_off_gives_no_energy(tmp_path: Path) -> None:
    write(tmp_path, package(0, 1_000_000))
    meter = find_meter(tmp_path)
    meter.start()
    (tmp_path / "sys/class/powercap/intel-rapl:0/energy_uj").unlink()
    with pytest.raises(NoMeterError, match="the RAPL counters broke off"):
        meter.stop()


def test_rails_of_the_same_label_on_two_chips_both_count(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            **{f"sys/class/hwmon/{chip}/name": "ina3221" for chip in ("hwmon3", "hwmon4")},
            **rail("hwmon3", 1, "VDD_GPU", 20_000, 100),
            **rail("hwmon4", 1, "VDD_GPU", 20_000, 50),
        },
    )
    assert find_meter(tmp_path).name == "power of VDD_GPU (hwmon3), VDD_GPU (hwmon4)"

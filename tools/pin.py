"""Write constraints.txt: what pip would install today, on every Python that is supported.

    python tools/pin.py [--keep constraints.txt] python3.10 python3.11 python3.12 python3.13 > new.txt

Each interpreter's own pip resolves the project with all its extras, without installing anything. ``--keep``
holds to the pins of a file; without it everything is the newest that fits.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = ".[demo,camera-opencv,dev]"

HEADER = """\
# What the tests ran with: `pip install -c constraints.txt 'edge-sdk[...]'`. Written by tools/pin.py.
"""

# Resolved on Linux x86-64; elsewhere the full TensorFlow stands in for the CPU build of the same release.
ELSEWHERE = "sys_platform != 'linux' or platform_machine != 'x86_64'"


class Minor(NamedTuple):
    """A Python version as markers compare it."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


Resolved = dict[str, str]


def resolve(python: str, keep: Path | None) -> tuple[Minor, Resolved]:
    """Ask one interpreter's pip for the version of every package that it would install."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        command = [python, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
        command += ["--report", str(report), EXTRAS]
        if keep is not None:
            command += ["--constraint", str(keep)]
        subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)
        content = json.loads(report.read_text("utf-8"))
    major, minor = content["environment"]["python_version"].split(".")
    packages = (item["metadata"] for item in content["install"])
    versions = {re.sub(r"[-_.]+", "-", package["name"]).lower(): package["version"] for package in packages}
    del versions["edge-sdk"]
    return Minor(int(major), int(minor)), versions


def pins(resolved: dict[Minor, Resolved]) -> list[str]:
    """One line a package and version, with a marker where not all Pythons take the same."""
    pythons = sorted(resolved)
    lines = []
    for name in sorted({name for versions in resolved.values() for name in versions}):
        by_version: dict[str, list[Minor]] = {}
        for python in pythons:
            # A package that only some Pythons need is pinned for the others too: it costs nothing.
            version = resolved[python].get(name) or _nearest(name, python, resolved)
            by_version.setdefault(version, []).append(python)
        lines += [_pin(name, version, where, pythons) for version, where in by_version.items()]
    if "tensorflow-cpu" in resolved[pythons[-1]]:
        lines.append(f"tensorflow=={resolved[pythons[-1]]['tensorflow-cpu']}; {ELSEWHERE}")
    return sorted(lines)


def _nearest(name: str, python: Minor, resolved: dict[Minor, Resolved]) -> str:
    having = [other for other in resolved if name in resolved[other]]
    return resolved[min(having, key=lambda other: abs(other.minor - python.minor))][name]


def _pin(name: str, version: str, where: list[Minor], pythons: list[Minor]) -> str:
    bounds = []
    if where[0] != pythons[0]:
        bounds.append(f"python_version >= '{where[0]}'")
    if where[-1] != pythons[-1]:
        bounds.append(f"python_version <= '{where[-1]}'")
    return f"{name}=={version}" + ("; " + " and ".join(bounds) if bounds else "")


def main() -> None:
    """Write the pins of all the interpreters named to standard output."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keep", type=Path, help="a file whose pins to keep where they hold")
    parser.add_argument("python", nargs="+", help="an interpreter that has pip")
    arguments = parser.parse_args()
    keep = arguments.keep.resolve() if arguments.keep else None
    resolved = dict(resolve(python, keep) for python in arguments.python)
    print(HEADER + "\n".join(pins(resolved)))


if __name__ == "__main__":
    main()

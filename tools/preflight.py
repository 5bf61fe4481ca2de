"""Say in one sentence each what this machine lacks, before anything is installed.

    python tools/preflight.py [FOLDER]

FOLDER is where the virtual environment will stand (default: the current folder). Exit code 1 if something is
missing. Written in the syntax of Python 3.6, because an old Python is one of the things it has to name.
"""

import platform
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import List, NamedTuple, Optional, Tuple

OLDEST = (3, 10)
NEWEST = (3, 13)
PLATFORMS = {
    ("Linux", "x86_64"): "Linux x86-64",
    ("Linux", "aarch64"): "Linux aarch64",
    ("Darwin", "arm64"): "macOS arm64",
}
FIRST_INSTALL_GB = 6.0
LATER_INSTALL_GB = 1.0


class Machine(NamedTuple):
    """What the checks look at."""

    system: str
    """As ``platform.system()`` names it."""
    processor: str
    """As ``platform.machine()`` names it."""
    bits: int
    """Of the Python, which may be 32 on a 64-bit kernel."""
    libc: str
    """``glibc`` where the wheels for ordinary Linux run."""
    version: Tuple[int, int]
    """Of the Python."""
    has_ensurepip: bool
    free_gb: float
    needed_gb: float


def this_machine(folder: Path) -> Machine:
    """Look at the machine, at the Python that runs this, and at the disk under ``folder``."""
    installed = (folder / ".venv" / ".stamps" / "demo").exists()
    return Machine(
        system=platform.system(),
        processor=platform.machine(),
        bits=64 if sys.maxsize > 2**32 else 32,
        libc=platform.libc_ver()[0],
        version=sys.version_info[:2],
        has_ensurepip=all(find_spec(name) for name in ("ensurepip", "venv")),
        free_gb=shutil.disk_usage(str(folder)).free / 1e9,
        needed_gb=LATER_INSTALL_GB if installed else FIRST_INSTALL_GB,
    )


def missing(machine: Machine) -> List[str]:
    """One sentence for each thing that is missing; none if the SDK can be installed."""
    sentences = [check(machine) for check in (_platform, _version, _ensurepip, _disk)]
    return [sentence for sentence in sentences if sentence]


def _platform(machine: Machine) -> Optional[str]:
    if (machine.system, machine.processor) not in PLATFORMS:
        here = f"{machine.system or 'an unknown system'} on {machine.processor or 'an unknown processor'}"
        return f"This is {here}; edge-sdk runs on {', '.join(sorted(PLATFORMS.values()))}."
    if machine.bits != 64:
        return (
            "This Python is a 32-bit program, for which there are no inference engines: install a 64-bit one."
        )
    if machine.system == "Linux" and machine.libc != "glibc":
        return (
            "This Linux has no glibc, which TensorFlow is built for: use Debian, Ubuntu, Fedora or the like."
        )
    return None


def _version(machine: Machine) -> Optional[str]:
    if OLDEST <= machine.version <= NEWEST:
        return None
    here, oldest, newest = ("{}.{}".format(*version) for version in (machine.version, OLDEST, NEWEST))
    return (
        f"This is Python {here} and edge-sdk needs {oldest} to {newest}: "
        "install one and name it, as in `make demo PYTHON=python3.12`."
    )


def _ensurepip(machine: Machine) -> Optional[str]:
    if machine.has_ensurepip:
        return None
    package = "python{}.{}-venv".format(*machine.version)
    return (
        "This Python cannot make virtual environments, because its ensurepip is missing: "
        f"install it (Debian, Ubuntu: `apt install {package}`)."
    )


def _disk(machine: Machine) -> Optional[str]:
    if machine.free_gb >= machine.needed_gb:
        return None
    return (
        f"Only {machine.free_gb:.1f} GB of disk are free here and the installation needs "
        f"{machine.needed_gb:.0f} GB: free some space, or work in a folder on another disk."
    )


def main(arguments: List[str]) -> int:
    """Print what is missing and return the exit code."""
    sentences = missing(this_machine(Path(arguments[0] if arguments else ".")))
    for sentence in sentences:
        sys.stderr.write(sentence + "\n")
    return 1 if sentences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

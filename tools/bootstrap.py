"""Install one layer of the project into .venv, with progress, and leave a stamp when it is complete.

    python tools/bootstrap.py core|demo|dev

``make`` calls this after tools/preflight.py. ``core`` is the environment and the SDK's core, ``demo``
what the whole path needs, ``dev`` what checks and tests need. pip adds only what is missing.
"""

from __future__ import annotations

import queue
import re
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = VENV / ".stamps"

LAYERS = {"core": ".", "demo": ".[demo,camera-opencv]", "dev": ".[dev]"}
HEARTBEAT_S = 10.0
TAIL_LINES = 15

Writer = Callable[[str], object]

_FETCHING = re.compile(r"\s*(?:Downloading|Using cached) ([\w.]+-[^-\s]+)-\S+(?: \(([\d.]+ [kMG]?B)\))?")
_INSTALLING = re.compile(r"Installing collected packages: (.+)")


class InstallError(Exception):
    """A step of the installation failed; the message is for the person at the terminal."""


class Progress:
    """Turns pip's output into one line a package, and says so when pip is silent for long."""

    def __init__(self, layer: str) -> None:
        self._prefix = f"[{layer}]"
        self._started = time.monotonic()
        self._doing = "asking for the packages"
        self._unpacking = 0
        self._unpacked_before = 0

    def line(self, line: str) -> None:
        """Take one line of pip's output."""
        if fetched := _FETCHING.match(line):
            name, size = fetched.groups()
            self._doing = f"fetching {name}" + (f" ({size})" if size else "")
            self._say(self._doing)
        elif installing := _INSTALLING.match(line):
            self._unpacking = len(installing[1].split(", "))
            self._unpacked_before = _packages_in_place()
            self._say(f"unpacking {self._unpacking} packages")

    def silence(self) -> None:
        """Say what pip is still at."""
        if self._unpacking:
            count = _packages_in_place() - self._unpacked_before
            self._doing = f"unpacked {count} of {self._unpacking} packages"
        self._say(f"... {self._doing}, {time.monotonic() - self._started:.0f} s so far")

    def done(self) -> None:
        """Say that the layer is there."""
        self._say(f"ready after {time.monotonic() - self._started:.0f} s")

    def _say(self, text: str) -> None:
        print(self._prefix, text, flush=True)


def _packages_in_place() -> int:
    return sum(1 for _ in VENV.glob("lib/python*/site-packages/*.dist-info"))


def install(layer: str) -> None:
    """Bring .venv to the state that ``layer`` needs, then write its stamp.

    Raises:
        InstallError: The environment cannot be made, or pip failed; no stamp is left.
    """
    stamp = STAMPS / layer
    if stamp.exists():
        stamp.unlink()
    progress = Progress(layer)
    if not _usable():
        _make_environment()
    STAMPS.mkdir(exist_ok=True)
    log = STAMPS / f"{layer}.log"
    with log.open("w", encoding="utf-8") as record:
        # The build backend stands in the environment, at its pinned version, rather than in one of its own.
        for requirement in (["hatchling"], ["--no-build-isolation", "--editable", LAYERS[layer]]):
            _pip([*requirement, "--constraint", "constraints.txt"], record.write, progress, log)
    progress.done()
    stamp.touch()


def _usable() -> bool:
    """Whether .venv holds a Python with pip; one that broke off half-way does not."""
    if not PYTHON.exists():
        return False
    return (
        subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0
    )


def _make_environment() -> None:
    print(
        f"[core] making {VENV.name} with Python {sys.version_info.major}.{sys.version_info.minor}", flush=True
    )
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=False)
    if made.returncode != 0:
        message = (
            f"{sys.executable} could not make a virtual environment in {VENV}; what it said stands above."
        )
        raise InstallError(message)


def _pip(arguments: list[str], record: Writer, progress: Progress, log: Path) -> None:
    quiet = ["--disable-pip-version-check", "--no-input"]
    command = [str(PYTHON), "-m", "pip", *quiet, "install", "--progress-bar", "off", *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as pip:
        tail = _follow(pip, record, progress)
    if pip.returncode != 0:
        message = (
            "".join(tail)
            + f"pip could not install {arguments[-3]}: its last lines stand above, all of it in {log}."
        )
        raise InstallError(message)


def _follow(pip: subprocess.Popen[str], record: Writer, progress: Progress) -> deque[str]:
    """Pass pip's lines on until it ends; return the last ones."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        lines_of_pip = pip.stdout or ()
        for line in lines_of_pip:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    while True:
        try:
            line = lines.get(timeout=HEARTBEAT_S)
        except queue.Empty:
            progress.silence()
            continue
        if line is None:
            return tail
        record(line)
        tail.append(line)
        progress.line(line)


def main() -> int:
    """Install the layer that the command line names."""
    if len(sys.argv) != 2 or sys.argv[1] not in LAYERS:
        print(f"usage: python tools/bootstrap.py {'|'.join(LAYERS)}", file=sys.stderr)
        return 2
    try:
        install(sys.argv[1])
    except InstallError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""``edge-sdk VERB`` in a process of its own, and the most memory that it ever took."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from edge_sdk.cli.main import main
from edge_sdk.console import progress

__all__ = ["Measured", "run_verb", "start_verb"]


@dataclass(frozen=True)
class Measured:
    """How a verb ended.

    Attributes:
        peak_bytes: The most memory that its process took.
    """

    code: int
    out: str
    err: str
    peak_bytes: int


def run_verb(*words: object, folder: Path) -> Measured:
    """Run a verb to its end.

    Args:
        words: The command line.
        folder: For what it measures.
    """
    running = start_verb(*words, folder=folder)
    out, err = running.communicate(timeout=240)
    return Measured(running.returncode, out, err, int((folder / "peak").read_text()))


def start_verb(*words: object, folder: Path) -> subprocess.Popen[str]:
    """Start a verb; its temporary files go into ``folder/temporary``, bytecode of such files too."""
    temporary = folder / "temporary"
    temporary.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, __file__, str(folder / "peak"), *map(str, words)]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(temporary), "PYTHONDONTWRITEBYTECODE": ""},
    )


def _peak_bytes() -> int:
    """Of this program alone: what Linux's ``ru_maxrss`` says begins with the parent's memory."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    progress._SECONDS_A_LINE = 0.1  # to see in seconds what a real night shows in hours
    code = main(sys.argv[2:])
    Path(sys.argv[1]).write_text(str(_peak_bytes()))
    sys.exit(code)

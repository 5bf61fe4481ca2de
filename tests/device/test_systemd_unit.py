"""The unit that devices are installed with, as systemd judges it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

SYSTEMD = Path(__file__).parents[2] / "device" / "systemd"


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that is there, and a user that is."""
    text = (SYSTEMD / "edge-sdk@.service").read_text(encoding="utf-8")
    text = text.replace("/opt/edge-sdk/bin/edge-sdk", "/bin/true")
    written = tmp_path / "edge-sdk@box.service"
    written.write_text(text, encoding="utf-8")
    return written


def systemd_analyze(*words: object) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    return subprocess.run([program, *map(str, words)], capture_output=True, text=True, check=False)


def test_systemd_finds_nothing_wrong_with_the_unit(unit: Path) -> None:
    done = systemd_analyze("verify", "--man=no", unit)
    assert done.returncode == 0, done.stderr
    assert "edge-sdk@box.service" not in done.stderr  # where it warns of an unknown key


def test_the_unit_exposes_little(unit: Path) -> None:
    done = systemd_analyze("security", "--offline=true", "--threshold=25", "--no-pager", unit)
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze is too old to judge a file")
    assert done.returncode == 0, done.stdout.splitlines()[-1]


def test_the_user_of_the_unit_is_the_one_that_is_made() -> None:
    service = (SYSTEMD / "edge-sdk@.service").read_text(encoding="utf-8")
    users = (SYSTEMD / "edge-sdk.sysusers.conf").read_text(encoding="utf-8")
    (user,) = re.findall(r"^User=(.+)$", service, re.MULTILINE)
    assert re.search(rf"^u {user} ", users, re.MULTILINE)

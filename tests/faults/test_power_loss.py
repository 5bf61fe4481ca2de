"""A power cut: what was not synced is gone. Resolved tickets survive it, and only for what is synced.

Killing a process does not test that, as the system keeps what the process has written. So a shim in
C (power_cut.c) keeps a copy of each file as it was when it was last synced; after a kill, that copy is
all that is left.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from outbox_alerts import DEVICE, SITE, end_to_put

from device.outbox import Outbox
from edge_sdk.contract.messages import Alert, decode_message

SHIM = Path(__file__).with_name("power_cut.c")
ALERTS = 2000
CUTS = 10

Steps = set[tuple[str, str]]


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if sys.platform != "linux" or compiler is None:
        pytest.skip("needs Linux and a C compiler for the shim")
    library = tmp_path_factory.mktemp("shim") / "power_cut.so"
    command = [compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", str(library), str(SHIM), "-ldl"]
    subprocess.run(command, check=True)
    return library


@pytest.fixture
def cut(
    shim: Path, tmp_path: Path, device_process: Callable[..., subprocess.Popen[str]]
) -> Callable[..., tuple[Steps, Path]]:
    """Run a new device, cut the power; what it had said is on disk, and the folder that is left."""

    def run(synchronous: str, after: int = ALERTS) -> tuple[Steps, Path]:
        kept = tmp_path / "kept"
        for folder in (kept, tmp_path / "outbox"):
            shutil.rmtree(folder, ignore_errors=True)
        kept.mkdir()
        process = device_process(
            "-",
            ALERTS,
            0,
            "--synchronous",
            synchronous,
            environment={
                **os.environ,
                "LD_PRELOAD": str(shim),
                "POWER_CUT_FOLDER": str((tmp_path / "outbox").resolve()),
                "POWER_CUT_KEPT": str(kept),
            },
        )
        assert process.stdout is not None
        said: Steps = set()
        for line in process.stdout:
            event_id, kind = line.split()
            said.add((event_id, kind))
            if len(said) == after:
                process.kill()
        process.wait()
        return said, kept

    return run


def _left(folder: Path) -> Steps:
    with Outbox.open(folder, site=SITE, device=DEVICE) as outbox:
        messages = [decode_message(row.payload, Alert) for row in outbox.next_rows(10 * ALERTS)]
    return {(message.event_id, message.type) for message in messages}


def test_resolved_tickets_survive_a_power_cut(cut: Callable[..., tuple[Steps, Path]]) -> None:
    said, kept = cut("FULL")
    assert len(said) >= ALERTS
    assert said - _left(kept) == set()


@pytest.mark.parametrize("synchronous", ["OFF", "NORMAL"])
def test_with_less_than_full_syncing_they_would_not(
    cut: Callable[..., tuple[Steps, Path]], synchronous: str
) -> None:
    # A cut right after SQLite has copied its log into the database, which it syncs even so, loses nothing.
    cuts = (cut(synchronous, after) for after in range(ALERTS // 2, ALERTS // 2 + 37 * CUTS, 37))
    assert any(said - _left(kept) for said, kept in cuts)


def test_what_is_left_goes_on_without_a_gap(cut: Callable[..., tuple[Steps, Path]]) -> None:
    _, kept = cut("FULL")
    with Outbox.open(kept, site=SITE, device=DEVICE) as outbox:
        seqs = sorted(row.seq for row in outbox.next_rows(10 * ALERTS))
        assert seqs == list(range(1, len(seqs) + 1))
        assert [ticket.seq for ticket in outbox.recover(end_to_put)] in ([], [len(seqs) + 1])

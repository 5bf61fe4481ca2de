"""A disk that fails is told at once, and what waits is written when it works again."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from device.outbox import Outbox
from edge_sdk.errors import OutboxError

Make = Callable[..., Callable[[str, int], Any]]
Opened = Callable[..., Outbox]


class Disk:
    """Commits fail while it is full."""

    def __init__(self) -> None:
        self.full = False
        self.faults: list[OutboxError] = []
        self.told = threading.Event()

    def commit(self, connection: sqlite3.Connection) -> None:
        if self.full:
            raise sqlite3.OperationalError("database or disk is full")
        connection.commit()

    def on_fault(self, error: OutboxError) -> None:
        self.faults.append(error)
        self.told.set()


@contextmanager
def _no_file_may_grow_beyond(size_bytes: int) -> Iterator[None]:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


def test_a_failed_write_is_told_by_the_ticket_and_by_the_callback(opened: Opened, alert: Make) -> None:
    disk = Disk()
    outbox = opened(commit=disk.commit, on_fault=disk.on_fault)
    disk.full = True
    ticket = outbox.put(alert())
    with pytest.raises(OutboxError, match="disk is full"):
        ticket.wait(60)
    assert disk.told.wait(60)
    assert outbox.fault is not None
    assert not ticket.committed
    disk.full = False
    outbox.close()  # writes it
    assert ticket.committed


def test_what_could_not_be_written_is_written_when_the_disk_works_again(opened: Opened, alert: Make) -> None:
    disk = Disk()
    outbox = opened(commit=disk.commit, on_fault=disk.on_fault)
    written = threading.Event()
    outbox.on_commit(written.set)
    disk.full = True
    tickets = [outbox.put(alert()) for _ in range(10)]
    assert disk.told.wait(60)
    disk.full = False
    assert written.wait(60)
    tickets[-1].wait(60)
    assert outbox.fault is None
    assert [row.seq for row in outbox.next_rows(100)] == list(range(1, 11))
    assert len(disk.faults) == 1


def test_the_file_system_itself_may_refuse(opened: Opened, alert: Make) -> None:
    """A real failure of ``write``, not a stand-in: files must not grow, then may."""
    outbox = opened()
    with _no_file_may_grow_beyond(100_000):
        tickets = [outbox.put(alert(source="x" * 5000)) for _ in range(100)]
        with pytest.raises(OutboxError):
            tickets[-1].wait(60)
    outbox.close()
    assert all(ticket.committed for ticket in tickets)
    assert opened().counts().pending == 100


def test_closing_says_what_could_not_be_written(tmp_path: Path, alert: Make) -> None:
    disk = Disk()
    outbox = Outbox.open(tmp_path / "outbox", site="forest", device="box-7", commit=disk.commit)
    disk.full = True
    outbox.put(alert())
    with pytest.raises(OutboxError, match=r"could not be written.*disk is full"):
        outbox.close()
    outbox.close()


def test_a_disk_that_fails_for_long_does_not_fill_the_memory(
    tmp_path: Path, alert: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("device.outbox.outbox._MAX_WAITING", 50)
    disk = Disk()
    outbox = Outbox.open(tmp_path / "outbox", site="forest", device="box-7", commit=disk.commit)
    disk.full = True
    for _ in range(50):
        outbox.put(alert())
    with pytest.raises(OutboxError, match="50 changes wait in memory"):
        outbox.put(alert())
    disk.full = False
    outbox.close()


def test_a_bug_in_a_listener_does_not_pass_in_silence(opened: Opened, alert: Make) -> None:
    disk = Disk()
    outbox = opened(on_fault=disk.on_fault)

    def broken() -> None:
        raise RuntimeError("a bug")

    outbox.on_commit(broken)
    outbox.put(alert()).wait(60)
    assert disk.told.wait(60)
    with pytest.raises(OutboxError):
        outbox.put(alert())
    with pytest.raises(OutboxError, match="a bug"):
        outbox.close()


def test_a_second_process_is_refused_and_the_first_is_named(opened: Opened, tmp_path: Path) -> None:
    opened()
    script = "import sys, pathlib, device.outbox as o\n"
    script += "o.Outbox.open(pathlib.Path(sys.argv[1]), site='forest', device='box-7')"
    second = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "outbox")],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert second.returncode != 0
    assert f"in use by another process (pid {os.getpid()})" in second.stderr


def test_a_second_outbox_in_the_same_process_is_refused_too(opened: Opened) -> None:
    opened()
    with pytest.raises(OutboxError, match="in use"):
        opened()


def test_a_folder_that_may_not_be_written_is_named() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        with _ordinary_user(), pytest.raises(OutboxError, match=name) as caught:
            Outbox.open(folder / "outbox", site="forest", device="box-7")
        folder.chmod(0o700)
    assert caught.value.hint


@contextmanager
def _ordinary_user() -> Iterator[None]:
    """Root may write everywhere; be nobody for a while where we are root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("", encoding="utf-8")
    with pytest.raises(OutboxError, match="outbox"):
        Outbox.open(tmp_path / "outbox", site="forest", device="box-7")


def test_a_failed_opening_leaves_no_lock(tmp_path: Path) -> None:
    folder = tmp_path / "outbox"
    (folder / "outbox.sqlite").mkdir(parents=True)
    with pytest.raises(OutboxError):
        Outbox.open(folder, site="forest", device="box-7")
    (folder / "outbox.sqlite").rmdir()
    Outbox.open(folder, site="forest", device="box-7").close()


def test_the_outbox_of_another_device_is_not_touched(opened: Opened, alert: Make, tmp_path: Path) -> None:
    outbox = opened()
    outbox.put(alert())
    outbox.close()
    with pytest.raises(OutboxError, match=r"belongs to forest\.box-7"):
        Outbox.open(tmp_path / "outbox", site="forest", device="box-8")
    assert opened().counts().pending == 1


def test_an_outbox_of_a_newer_release_is_not_touched(opened: Opened, tmp_path: Path) -> None:
    opened().close()
    file = tmp_path / "outbox" / "outbox.sqlite"
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = file.read_bytes()
    with pytest.raises(OutboxError, match="version 99"):
        opened()
    assert file.read_bytes() == before


def test_a_disk_budget_below_a_megabyte_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutboxError, match="too small"):
        Outbox.open(tmp_path / "outbox", site="forest", device="box-7", disk_budget_bytes=999_999)
    assert not (tmp_path / "outbox").exists()


def test_on_a_full_disk_the_lock_needs_no_room_for_its_courtesy(
    opened: Opened, alert: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("device.outbox.lock.os.write", full)
        outbox = opened()
    outbox.put(alert()).wait(60)


def test_a_full_disk_at_the_start_is_told_with_the_room_there_is(
    opened: Opened, alert: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite says "disk I/O error" where it cannot make the file that its processes share."""
    opened().put(alert()).wait(60)
    folder = tmp_path / "full"
    shutil.copytree(tmp_path / "outbox", folder)  # as after a power cut, with its log
    monkeypatch.setattr("device.outbox.lock.shutil.disk_usage", lambda _: SimpleNamespace(free=0))
    with _no_file_may_grow_beyond(0), pytest.raises(OutboxError) as caught:
        opened(folder)
    assert str(folder) in caught.value.message
    assert caught.value.hint == f"the disk of {folder} has 0 bytes free: make room, and start again"
    assert opened(folder).counts().pending == 1

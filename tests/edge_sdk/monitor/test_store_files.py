"""The file of a store: what damages it, who else uses it, and what a crash or a full disk leaves of it."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from device_messages import make_alert, received_message

from edge_sdk.errors import StoreError
from edge_sdk.monitor.store import Store
from edge_sdk.monitor.store_schema import SCHEMA_VERSION


def test_a_full_disk_undoes_the_whole_batch_and_it_can_be_tried_again(store: Store) -> None:
    store.commit([received_message(make_alert(1))])
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    batch = [
        received_message(make_alert(seq, source="x" * 4_000, site=f"site-{seq}")) for seq in range(2, 12)
    ]

    with pytest.raises(StoreError, match="full") as raised:
        store.commit(batch)
    assert "disk" in (raised.value.hint or "")
    assert store.counts().alerts == 1

    store._connection.execute("PRAGMA max_page_count = 1000000")
    assert store.commit(batch) == ["new"] * 10


_KILLED_WRITER = """
import os, sys
sys.path.insert(0, sys.argv[2])
from device_messages import make_alert, raw_message
from edge_sdk.monitor.incoming import parse
from edge_sdk.monitor.store import Store

store = Store(sys.argv[1])
seq = 1
while True:
    store.commit([parse(raw_message(make_alert(n))) for n in range(seq, seq + 7)])
    seq += 7
    os.write(1, f"{seq - 1}\\n".encode())
"""


def test_what_was_committed_survives_kill_9(path: Path) -> None:
    support = Path(__file__).parents[2] / "support"
    committed = 0
    for _ in range(3):
        writer = subprocess.Popen(
            [sys.executable, "-c", _KILLED_WRITER, str(path), str(support)], stdout=subprocess.PIPE
        )
        assert writer.stdout is not None
        for line in writer.stdout:
            committed = max(committed, int(line))
            if int(line) >= 70:
                break
        writer.kill()
        committed = max([committed, *map(int, writer.stdout.read().split())])
        writer.wait()
        writer.stdout.close()

    with Store(path) as store:
        assert store.counts().alerts >= committed
        assert store.counts().alerts % 7 == 0, "a batch is written whole or not at all"
        assert store.missing() == []


def test_a_file_of_a_newer_version_is_refused(path: Path) -> None:
    Store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()

    with pytest.raises(StoreError, match=f"schema version {SCHEMA_VERSION + 1}") as raised:
        Store(path)
    assert "newer" in (raised.value.hint or "")


def test_another_programs_database_is_refused_and_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE mail (id)")
    connection.close()

    with pytest.raises(StoreError, match="another program's"):
        Store(path)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("mail",)]
    connection.close()


def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.write_bytes(b"these are not pages" * 500)

    with pytest.raises(StoreError, match="not a database") as raised:
        Store(path)
    assert "move it away" in (raised.value.hint or "")
    assert path.read_bytes().startswith(b"these")


def test_a_damaged_database_is_told_when_it_is_read(path: Path) -> None:
    with Store(path) as store:
        store.commit([received_message(make_alert(seq)) for seq in range(1, 200)])
    content = path.read_bytes()
    path.write_bytes(content[:8192] + random.Random(0).randbytes(len(content) - 8192))

    with pytest.raises(StoreError, match=str(path)) as raised, Store(path) as store:
        store.alerts()
    assert "move it away" in (raised.value.hint or "")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StoreError, match="unable to open") as raised:
        Store(tmp_path / "file" / "alerts.db")
    assert "write" in (raised.value.hint or "")


def test_a_locked_database_is_told(store: Store, path: Path) -> None:
    store._connection.execute("PRAGMA busy_timeout = 10")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(StoreError, match="locked") as raised:
            store.commit([received_message(make_alert(1))])
    finally:
        other.close()
    assert "another process" in (raised.value.hint or "")
    assert store.commit([received_message(make_alert(1))]) == ["new"]


def test_reading_needs_a_database_that_is_there(path: Path) -> None:
    with pytest.raises(StoreError, match="there is no database"):
        Store(path, read_only=True)
    path.touch()
    with pytest.raises(StoreError, match="holds no alerts yet"):
        Store(path, read_only=True)


def test_a_reader_cannot_write(store: Store, path: Path) -> None:
    store.commit([received_message(make_alert(1))])
    with Store(path, read_only=True) as reader, pytest.raises(StoreError, match="readonly"):
        reader.commit([received_message(make_alert(2))])


def test_a_closed_store_says_so(path: Path) -> None:
    store = Store(path)
    store.close()
    store.close()

    with pytest.raises(StoreError, match="closed"):
        store.counts()

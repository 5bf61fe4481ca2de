from __future__ import annotations

import dataclasses
import json
import random
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from device_messages import (
    NOON,
    STREAM,
    make_alert,
    make_coverage,
    make_dropped,
    make_reported,
    make_status,
    raw_message,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_sdk.contract.messages import encode_message
from edge_sdk.errors import StoreError
from edge_sdk.monitor import store_write
from edge_sdk.monitor.incoming import BadPayload, Message, RawMessage, Received, parse
from edge_sdk.monitor.seq_ledger import SeqGap
from edge_sdk.monitor.store import Store
from edge_sdk.monitor.store_schema import SCHEMA_VERSION


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "alerts.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store(path) as opened:
        yield opened


def received(message: Message, seconds: float = 0.0) -> Received[Message]:
    parsed = parse(raw_message(message, NOON + timedelta(seconds=seconds)))
    assert isinstance(parsed, Received)
    return parsed


def bad(payload: bytes, topic: str = raw_message(make_alert()).topic) -> BadPayload:
    parsed = parse(RawMessage(topic, payload, NOON))
    assert isinstance(parsed, BadPayload)
    return parsed


def without_score(seq: int) -> bytes:
    fields = json.loads(encode_message(make_alert(seq)))
    del fields["score"]
    return json.dumps(fields).encode()


def test_what_was_committed_is_there_when_the_file_is_opened_again(path: Path) -> None:
    alert = received(make_alert(1))
    with Store(path) as store:
        assert store.commit([alert, received(make_coverage(2)), received(make_status())]) == [
            "new",
            "new",
            "state",
        ]

    with Store(path, read_only=True) as reopened:
        assert reopened.alerts() == [alert]
        assert [state.message for state in reopened.states()] == [make_status()]
        assert reopened.counts().coverage == 1


def test_a_duplicate_is_dropped_and_counted(store: Store) -> None:
    alert = received(make_alert(1))

    assert store.commit([alert, alert]) == ["new", "duplicate"]
    assert store.commit([alert]) == ["duplicate"]
    assert (store.counts().alerts, store.counts().duplicates) == (1, 2)


def test_other_content_under_a_known_key_is_quarantined_and_the_first_stays(store: Store) -> None:
    first, second = received(make_alert(1, score=0.9)), received(make_alert(1, score=0.95))

    assert store.commit([first, second]) == ["new", "conflict"]
    assert store.alerts() == [first]
    assert store.counts().conflicts == 1


def test_a_bad_payload_is_kept_with_its_topic_and_bytes(store: Store, path: Path) -> None:
    item = bad(b"{broken")

    assert store.commit([item, item]) == ["bad_payload", "bad_payload"]

    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT topic, payload, kind, times FROM quarantine").fetchall()
    connection.close()
    assert rows == [(item.topic, b"{broken", "bad_payload", 2)]
    assert store.counts().bad_payloads == 2


def test_a_good_message_is_stored_even_after_a_bad_one_under_its_key(store: Store) -> None:
    store.commit([bad(without_score(1))])

    assert store.commit([received(make_alert(1))]) == ["new"]


def test_a_flood_of_bad_payloads_does_not_fill_the_disk(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_write, "QUARANTINE_KEPT", 5)

    store.commit([bad(f"broken {n}".encode()) for n in range(20)])

    with sqlite3.connect(path) as connection:
        (kept,) = connection.execute("SELECT count(*) FROM quarantine").fetchone()
    connection.close()
    assert kept == 5
    assert store.counts().bad_payloads == 20


def test_only_changes_of_a_state_are_kept(store: Store, path: Path) -> None:
    offline = make_status(state="offline")
    for state in (make_status(), make_status(), offline, make_status(), make_reported()):
        store.commit([received(state)])

    assert [state.message for state in store.states()] == [make_reported(), make_status()]
    with sqlite3.connect(path) as connection:
        (changes,) = connection.execute("SELECT count(*) FROM state WHERE kind = 'status'").fetchone()
    connection.close()
    assert changes == 3


def test_a_device_that_comes_and_goes_does_not_fill_the_disk(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_write, "STATES_KEPT", 5)
    other = make_status(device="box-99")
    states: list[Message] = [make_status(state="offline" if n % 2 else "online") for n in range(40)]
    store.commit([received(state) for state in [other, make_reported(), *states]])

    assert [state.message for state in store.states()] == [make_reported(), states[-1], other]
    with sqlite3.connect(path) as connection:
        rows = connection.execute(
            "SELECT device, kind, count(*) FROM state GROUP BY device, kind ORDER BY device, kind"
        ).fetchall()
    connection.close()
    assert [(kind, count) for _, kind, count in rows] == [("reported", 1), ("status", 5), ("status", 1)]


def test_an_event_is_told_by_its_newest_message_in_whatever_order_they_came(store: Store) -> None:
    opening = make_alert(1, type="new", score=0.8)
    update = make_alert(2, type="update", score=0.97)
    end = make_alert(3, type="end", score=0.97, end_reason="silence")
    store.commit([received(end, 3), received(opening, 1), received(update, 2)])

    (event,) = store.events()

    assert event.alert == end
    assert not event.is_open
    assert event.messages == 3
    assert (event.first_received_at, event.last_received_at) == (
        NOON + timedelta(seconds=1),
        NOON + timedelta(seconds=3),
    )


def test_queries_choose_by_site_device_label_and_time(store: Store) -> None:
    def event(seq: int, started_at: str, **changes: str) -> Received[Message]:
        event_id = f"01936a2e-7c1b-7d3a-8f00-{seq:012d}"
        return received(make_alert(seq, event_id=event_id, started_at=started_at, **changes))

    early = event(1, "2026-11-22T11:00:00.000Z")
    saw = event(2, "2026-11-22T11:30:00.000Z", label="chainsaw")
    lake = event(3, "2026-11-22T12:00:00.000Z", site="lake", device="box-1")
    store.commit([early, saw, lake])

    assert store.alerts() == [lake, saw, early]
    assert store.alerts(label="chainsaw") == [saw]
    assert store.alerts(site="lake") == [lake]
    assert store.alerts(device="box-1", label="chainsaw") == []
    assert store.alerts(since=NOON - timedelta(minutes=30)) == [lake, saw]
    assert store.alerts(until=NOON - timedelta(minutes=30)) == [early]
    assert store.alerts(limit=1) == [lake]
    assert [event.alert for event in store.events(site="north")] == [saw.message, early.message]
    assert store.counts().events == 3
    assert store.counts().devices == 2


def test_missing_numbers_are_those_that_nothing_explains(store: Store) -> None:
    store.commit(
        [
            *(received(make_alert(seq)) for seq in (3, 4, 9, 20)),
            received(make_dropped(21, (5, 6), (8, 8))),
            bad(without_score(12)),
        ]
    )

    assert store.missing() == [
        SeqGap(*STREAM, 7, 7),
        SeqGap(*STREAM, 10, 11),
        SeqGap(*STREAM, 13, 19),
    ]


@settings(max_examples=25)
@given(
    st.lists(st.lists(st.tuples(st.integers(1, 12), st.sampled_from([0.9, 0.95])), max_size=8), max_size=6)
)
def test_each_key_is_stored_once_and_every_copy_gets_its_outcome(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[tuple[int, float]]]
) -> None:
    first_score: dict[int, float] = {}
    with Store(tmp_path_factory.mktemp("store") / "alerts.db") as store:
        for batch in batches:
            expected = []
            for seq, score in batch:
                known = first_score.setdefault(seq, score) if seq in first_score else None
                first_score.setdefault(seq, score)
                expected.append("new" if known is None else "duplicate" if known == score else "conflict")
            assert store.commit([received(make_alert(seq, score=score)) for seq, score in batch]) == expected
        assert {r.message.seq: r.message.score for r in store.alerts()} == first_score


def test_a_full_disk_undoes_the_whole_batch_and_it_can_be_tried_again(store: Store) -> None:
    store.commit([received(make_alert(1))])
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    batch = [received(make_alert(seq, source="x" * 4_000, site=f"site-{seq}")) for seq in range(2, 12)]

    with pytest.raises(StoreError, match="full") as raised:
        store.commit(batch)
    assert "disk" in (raised.value.hint or "")
    assert store.counts().alerts == 1

    store._connection.execute("PRAGMA max_page_count = 1000000")
    assert store.commit(batch) == ["new"] * 10


def test_several_threads_may_use_one_store(store: Store) -> None:
    def write(first: int) -> None:
        for seq in range(first, first + 50):
            store.commit([received(make_alert(seq))])
            store.counts()

    threads = [threading.Thread(target=write, args=(first,)) for first in (1, 51, 101)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert store.counts().alerts == 150


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
        store.commit([received(make_alert(seq)) for seq in range(1, 200)])
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
            store.commit([received(make_alert(1))])
    finally:
        other.close()
    assert "another process" in (raised.value.hint or "")
    assert store.commit([received(make_alert(1))]) == ["new"]


def test_reading_needs_a_database_that_is_there(path: Path) -> None:
    with pytest.raises(StoreError, match="there is no database"):
        Store(path, read_only=True)
    path.touch()
    with pytest.raises(StoreError, match="holds no alerts yet"):
        Store(path, read_only=True)


def test_a_reader_cannot_write(store: Store, path: Path) -> None:
    store.commit([received(make_alert(1))])
    with Store(path, read_only=True) as reader, pytest.raises(StoreError, match="readonly"):
        reader.commit([received(make_alert(2))])


def test_a_closed_store_says_so(path: Path) -> None:
    store = Store(path)
    store.close()
    store.close()

    with pytest.raises(StoreError, match="closed"):
        store.counts()


def test_the_same_bytes_under_another_time_are_a_duplicate(store: Store) -> None:
    first = received(make_alert(1))
    later = dataclasses.replace(first, received_at=NOON + timedelta(hours=1))

    assert store.commit([first, later]) == ["new", "duplicate"]
    assert store.alerts() == [first]

"""What a store keeps, of what comes in whatever order and however often, and what it tells of it."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
import threading
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
    received_message,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_sdk.contract.messages import encode_message
from edge_sdk.monitor import store_write
from edge_sdk.monitor.incoming import BadPayload, Message, RawMessage, Received, parse
from edge_sdk.monitor.seq_ledger import SeqGap
from edge_sdk.monitor.store import Store


def bad(payload: bytes, topic: str = raw_message(make_alert()).topic) -> BadPayload:
    parsed = parse(RawMessage(topic, payload, NOON))
    assert isinstance(parsed, BadPayload)
    return parsed


def without_score(seq: int) -> bytes:
    fields = json.loads(encode_message(make_alert(seq)))
    del fields["score"]
    return json.dumps(fields).encode()


def test_what_was_committed_is_there_when_the_file_is_opened_again(path: Path) -> None:
    alert = received_message(make_alert(1))
    with Store(path) as store:
        assert store.commit([alert, received_message(make_coverage(2)), received_message(make_status())]) == [
            "new",
            "new",
            "state",
        ]

    with Store(path, read_only=True) as reopened:
        assert reopened.alerts() == [alert]
        assert [state.message for state in reopened.states()] == [make_status()]
        assert reopened.counts().coverage == 1


def test_a_duplicate_is_dropped_and_counted(store: Store) -> None:
    alert = received_message(make_alert(1))

    assert store.commit([alert, alert]) == ["new", "duplicate"]
    assert store.commit([alert]) == ["duplicate"]
    assert (store.counts().alerts, store.counts().duplicates) == (1, 2)


def test_other_content_under_a_known_key_is_quarantined_and_the_first_stays(store: Store) -> None:
    first, second = received_message(make_alert(1, score=0.9)), received_message(make_alert(1, score=0.95))

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

    assert store.commit([received_message(make_alert(1))]) == ["new"]


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
        store.commit([received_message(state)])

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
    store.commit([received_message(state) for state in [other, make_reported(), *states]])

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
    store.commit([received_message(end, 3), received_message(opening, 1), received_message(update, 2)])

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
        return received_message(make_alert(seq, event_id=event_id, started_at=started_at, **changes))

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
            *(received_message(make_alert(seq)) for seq in (3, 4, 9, 20)),
            received_message(make_dropped(21, (5, 6), (8, 8))),
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
            assert (
                store.commit([received_message(make_alert(seq, score=score)) for seq, score in batch])
                == expected
            )
        assert {r.message.seq: r.message.score for r in store.alerts()} == first_score


def test_several_threads_may_use_one_store(store: Store) -> None:
    def write(first: int) -> None:
        for seq in range(first, first + 50):
            store.commit([received_message(make_alert(seq))])
            store.counts()

    threads = [threading.Thread(target=write, args=(first,)) for first in (1, 51, 101)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert store.counts().alerts == 150


def test_the_same_bytes_under_another_time_are_a_duplicate(store: Store) -> None:
    first = received_message(make_alert(1))
    later = dataclasses.replace(first, received_at=NOON + timedelta(hours=1))

    assert store.commit([first, later]) == ["new", "duplicate"]
    assert store.alerts() == [first]

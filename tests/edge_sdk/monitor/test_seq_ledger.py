from __future__ import annotations

import math

from device_messages import STREAM, make_alert, make_coverage, make_dropped, raw_message
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.monitor.incoming import Counted, Received
from edge_sdk.monitor.seq_ledger import RANGES_KEPT, SeqGap, SeqLedger, Verdict


def observe(ledger: SeqLedger, message: Counted, now: float = 0.0) -> Verdict:
    raw = raw_message(message)
    return ledger.observe(Received(message, raw.topic, raw.received_at, raw.payload), now)


def gap(first: int, last: int) -> SeqGap:
    return SeqGap(*STREAM, first, last)


@given(
    arrivals=st.lists(st.integers(1, 40), min_size=1, max_size=60),
    dropped=st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), max_size=3),
)
def test_whatever_the_order_each_number_is_new_once_and_the_gaps_are_what_never_came(
    arrivals: list[int],
    dropped: list[tuple[int, int]],
) -> None:
    ledger = SeqLedger(gap_after_s=10)
    ranges = [(low, high) for low, high in dropped if low <= high]

    verdicts = [observe(ledger, make_alert(seq)) for seq in arrivals]
    observe(ledger, make_dropped(41, *ranges))

    assert [seq for seq, verdict in zip(arrivals, verdicts, strict=True) if verdict == "new"] == list(
        dict.fromkeys(arrivals)
    )
    given_up = {n for low, high in ranges for n in range(low, high + 1)}
    never_came = set(range(arrivals[0], 41)) - set(arrivals) - given_up
    assert ledger.missing == len(never_came)
    assert {n for g in ledger.due(10) for n in range(g.first, g.last + 1)} == never_came
    assert ledger.due(math.inf) == []


def test_a_number_that_was_jumped_over_is_a_gap_only_after_the_wait() -> None:
    ledger = SeqLedger(gap_after_s=90)
    observe(ledger, make_alert(seq=5), 0.0)
    observe(ledger, make_alert(seq=9), 1.0)

    assert ledger.next_due() == 91.0
    assert ledger.due(90.9) == []
    assert ledger.due(91.0) == [gap(6, 8)]


def test_a_late_arrival_fills_its_gap() -> None:
    ledger = SeqLedger(gap_after_s=90)
    for seq in (5, 9, 7):
        observe(ledger, make_alert(seq))

    assert ledger.missing == 2
    assert ledger.due(90) == [gap(6, 6), gap(8, 8)]


def test_joining_in_the_middle_of_an_epoch_is_no_gap() -> None:
    ledger = SeqLedger(gap_after_s=0)

    assert observe(ledger, make_alert(seq=7_000)) == "new"
    assert observe(ledger, make_alert(seq=6_998)) == "new"
    assert ledger.missing == 0
    assert ledger.due(math.inf) == []


def test_each_device_and_epoch_counts_for_itself() -> None:
    ledger = SeqLedger(gap_after_s=0)
    for changes in ({"device": "box-1"}, {"device": "box-2"}, {"site": "lake"}, {"epoch": "0" * 16}):
        assert observe(ledger, make_alert(seq=3, **changes)) == "new"
        assert observe(ledger, make_alert(seq=4, **changes)) == "new"

    assert ledger.missing == 0


def test_other_content_under_a_known_key_is_a_conflict() -> None:
    ledger = SeqLedger()
    observe(ledger, make_alert(seq=1, score=0.9))

    assert observe(ledger, make_alert(seq=1, score=0.8)) == "conflict"
    assert observe(ledger, make_alert(seq=1, score=0.9)) == "duplicate"


def test_an_unreadable_number_is_no_gap_and_may_still_arrive_well() -> None:
    ledger = SeqLedger(gap_after_s=0)
    observe(ledger, make_alert(seq=1))
    ledger.excuse(STREAM, 2, 0.0)
    observe(ledger, make_alert(seq=3))

    assert ledger.due(math.inf) == []
    assert observe(ledger, make_alert(seq=2)) == "new"


def test_where_gaps_cannot_be_seen_none_are_told() -> None:
    ledger = SeqLedger(gap_after_s=math.inf)
    observe(ledger, make_alert(seq=1))
    observe(ledger, make_alert(seq=1_000))

    assert ledger.missing == 0
    assert ledger.next_due() is None


def test_coverage_shares_the_count_of_alerts() -> None:
    ledger = SeqLedger(gap_after_s=0)
    observe(ledger, make_alert(seq=1))
    observe(ledger, make_coverage(2))
    observe(ledger, make_alert(seq=3))

    assert ledger.missing == 0


def test_memory_stays_bounded_where_no_number_follows_another() -> None:
    ledger = SeqLedger(gap_after_s=math.inf)
    for seq in range(1, 2 * (RANGES_KEPT + 10), 2):
        observe(ledger, make_alert(seq))

    (stream,) = ledger._streams.values()
    assert len(stream.received) == RANGES_KEPT
    assert observe(ledger, make_alert(seq=2 * RANGES_KEPT + 11)) == "duplicate"
    assert observe(ledger, make_alert(seq=1)) == "new", "handed on twice rather than not at all"

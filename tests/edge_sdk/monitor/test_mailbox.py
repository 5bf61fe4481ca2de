from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.monitor.mailbox import Mailbox


def weight(item: int) -> int:
    return item


@given(st.lists(st.integers(1, 40), max_size=40), st.integers(1, 100))
def test_it_keeps_the_newest_that_fit_and_gives_up_the_oldest(items: list[int], capacity: int) -> None:
    box = Mailbox(capacity, weight)
    given_up = [old for item in items for old in box.put(item)]
    kept = box.take(1000, 0.0)

    assert given_up + kept == items
    assert sum(kept) <= capacity or len(kept) == 1
    if given_up:
        assert sum(kept) + given_up[-1] > capacity


def test_no_more_is_taken_than_asked_for() -> None:
    box = Mailbox(100, weight)
    for item in (1, 2, 3):
        box.put(item)

    assert box.take(2) == [1, 2]
    assert box.take(2) == [3]


def test_a_closed_one_takes_nothing_in_and_gives_out_what_is_left() -> None:
    box = Mailbox(100, weight)
    box.put(1)
    box.close()

    assert box.put(2) == [2]
    assert not box.is_finished
    assert box.take(5) == [1]
    assert box.is_finished
    assert box.take(5) == []


def test_who_waits_is_woken_by_an_item_and_by_the_end() -> None:
    box = Mailbox(100, weight)
    taken: list[list[int]] = []
    reader = threading.Thread(target=lambda: taken.extend([box.take(5), box.take(5)]))
    reader.start()
    box.put(7)
    while not taken:
        reader.join(0.01)
        box.close()
    reader.join()

    assert taken == [[7], []]

"""What may be sent, what must be sent again, and which message ends the connections."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.outbox import Row
from device.outbox.priority import Priority
from device.publisher.window import Window


def _row(seq: int, priority: Priority = Priority.ALERT) -> Row:
    return Row(priority, seq, "topic", b"payload")


def _window(limit: int = 8, *, needs_receipt: bool = True) -> Window:
    return Window(limit, needs_receipt=needs_receipt, resend_s=60.0, max_broken=3)


def test_room_is_what_is_not_under_way() -> None:
    window = _window(limit=3)
    window.sent(_row(1), now=0.0)
    window.sent(_row(2), now=0.0)
    assert window.room == 1
    assert set(window.under_way) == {1, 2}


def test_with_receipts_an_acknowledgement_frees_nothing() -> None:
    window = _window(limit=1)
    window.sent(_row(1), now=0.0)
    assert not window.acknowledged(1)
    assert window.room == 0
    assert window.confirmed([(1, 1)], now=1.0) == 1
    assert window.room == 1


def test_without_receipts_an_acknowledgement_is_all() -> None:
    window = _window(limit=1, needs_receipt=False)
    window.sent(_row(1), now=0.0)
    assert window.acknowledged(1)
    assert window.room == 1


def test_an_acknowledgement_of_something_else_is_nothing() -> None:
    assert not _window(needs_receipt=False).acknowledged(7)


def test_a_message_is_overdue_after_a_minute_the_most_urgent_and_oldest_first() -> None:
    window = _window()
    for row in (_row(4, Priority.UPDATE), _row(3), _row(2, Priority.UPDATE), _row(1)):
        window.sent(row, now=10.0)
    assert window.overdue(now=69.9) == []
    assert window.next_due_at() == 70.0
    assert [row.seq for row in window.overdue(now=70.0)] == [1, 3, 2, 4]


def test_a_slow_receiver_is_given_four_times_its_usual_delay() -> None:
    window = _window()
    window.sent(_row(1), now=0.0)
    window.confirmed([(1, 1)], now=100.0)
    window.sent(_row(2), now=100.0)
    assert window.next_due_at() == 500.0


def test_a_receiver_that_is_away_is_asked_less_and_less_often() -> None:
    window = _window()
    now, pauses = 0.0, []
    window.sent(_row(1), now)
    for _ in range(7):
        due_at = window.next_due_at()
        assert due_at is not None
        pauses.append(due_at - now)
        now = due_at
        window.sent(_row(1), now)
    assert pauses == [60, 120, 240, 480, 960, 960, 960]


def test_a_delay_after_a_second_sending_teaches_nothing() -> None:
    window = _window()
    window.sent(_row(1), now=0.0)
    window.sent(_row(1), now=1000.0)
    window.confirmed([(1, 1)], now=1001.0)
    window.sent(_row(2), now=1001.0)
    assert window.next_due_at() == 1061.0


def test_after_a_connection_ended_everything_is_sent_again() -> None:
    window = _window()
    for seq in (1, 2, 3):
        window.sent(_row(seq), now=0.0)
    window.acknowledged(1)
    assert window.connection_ended() is None
    assert set(window.under_way) == set()
    assert window.next_due_at() is None


def test_after_an_unacknowledged_end_messages_go_one_by_one_until_as_many_were_taken() -> None:
    window = _window(limit=8)
    for seq in (1, 2, 3):
        window.sent(_row(seq), now=0.0)
    window.connection_ended()
    for seq in (1, 2, 3):
        assert window.room == 1
        window.sent(_row(seq), now=1.0)
        assert window.room == 0
        window.acknowledged(seq)
    assert window.room == 5


def test_an_end_with_everything_acknowledged_suspects_nobody() -> None:
    window = _window(limit=8)
    window.sent(_row(1), now=0.0)
    window.acknowledged(1)
    assert window.connection_ended() is None
    assert window.room == 8


def test_a_message_that_ends_three_connections_alone_is_named() -> None:
    window = _window()
    for _ in range(2):
        window.sent(_row(1), now=0.0)
        assert window.connection_ended() is None
    window.sent(_row(1), now=0.0)
    assert window.connection_ended() == 1


def test_one_acknowledgement_in_between_clears_a_message() -> None:
    window = _window()
    for _ in range(2):
        window.sent(_row(1), now=0.0)
        window.connection_ended()
    window.sent(_row(1), now=0.0)
    window.acknowledged(1)
    window.connection_ended()
    window.sent(_row(1), now=0.0)
    assert window.connection_ended() is None


@pytest.mark.parametrize("needs_receipt", [True, False])
@given(
    number=st.integers(1, 40),
    culprits=st.sets(st.integers(1, 40), max_size=4),
    limit=st.integers(1, 16),
    others_taken=st.booleans(),
)
def test_just_the_culprits_are_set_aside_wherever_they_stand(
    needs_receipt: bool,  # noqa: FBT001 - a parameter of the test
    number: int,
    culprits: set[int],
    limit: int,
    others_taken: bool,  # noqa: FBT001
) -> None:
    """A broker that hangs up on some messages, having acknowledged those before them or not."""
    window = Window(limit, needs_receipt=needs_receipt, max_broken=3)
    waiting = list(range(1, number + 1))
    set_aside: set[int] = set()
    connections = 0
    while waiting:
        connections += 1
        assert connections < 10 + 5 * (len(culprits) + 1) * 3
        hung_up = False
        while waiting and not hung_up:
            batch = [seq for seq in waiting if seq not in window.under_way][: window.room]
            assert batch, "nothing is under way, and nothing may be sent"
            for seq in batch:
                window.sent(_row(seq), now=0.0)
            hung_up = any(seq in culprits for seq in batch)
            taken = [seq for seq in batch if not hung_up]
            if hung_up and others_taken:
                taken = batch[: next(i for i, seq in enumerate(batch) if seq in culprits)]
            for seq in taken:
                window.acknowledged(seq)
                if needs_receipt and not hung_up:
                    window.confirmed([(seq, seq)], now=0.0)
                if not needs_receipt or not hung_up:
                    waiting.remove(seq)
        culprit = window.connection_ended() if hung_up else None
        if culprit is not None:
            set_aside.add(culprit)
            waiting.remove(culprit)
    assert set_aside == {seq for seq in culprits if seq <= number}

from __future__ import annotations

from device_messages import STREAM
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.contract.messages import ALERT_MAX_BYTES, Receipt, encode_message
from edge_sdk.monitor.receipt_book import ReceiptBook

OTHER = STREAM._replace(device="box-08")
ENTRIES = st.lists(st.tuples(st.sampled_from([STREAM, OTHER]), st.integers(1, 50), st.booleans()))


@given(ENTRIES, st.data())
def test_everything_that_is_owed_is_sent_once_also_when_sending_fails(
    entries: list[tuple[object, int, bool]], data: st.DataObject
) -> None:
    book = ReceiptBook("server-1")
    sent = set()
    for stream, seq, rejected in entries:
        book.enter(stream, seq, rejected=rejected)  # type: ignore[arg-type]
    while len(book):
        taken = list(book.take())
        for stream, receipt in taken:
            if data.draw(st.booleans()):
                book.put_back(stream, receipt)
                continue
            for rejected, ranges in ((False, receipt.ranges), (True, receipt.rejected)):
                sent |= {(stream, n, rejected) for first, last in ranges for n in range(first, last + 1)}

    assert sent == set(entries)


def test_a_run_of_numbers_is_one_range() -> None:
    book = ReceiptBook("server-1")
    for seq in range(1, 501):
        book.enter(STREAM, seq)

    assert list(book.take()) == [
        (STREAM, Receipt(receiver_id="server-1", epoch=STREAM.epoch, ranges=[(1, 500)]))
    ]


def test_receipts_stay_small_where_numbers_do_not_follow_each_other() -> None:
    book = ReceiptBook("server-1")
    for seq in range(2**62, 2**62 + 2_000, 2):
        book.enter(STREAM, seq)

    receipts = [receipt for _, receipt in book.take()]
    assert sum(len(receipt.ranges) for receipt in receipts) == 1_000
    assert max(len(encode_message(receipt)) for receipt in receipts) <= ALERT_MAX_BYTES

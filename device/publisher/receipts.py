"""What the receiver says it has stored, or will never take."""

from __future__ import annotations

from edge_sdk.contract.messages import Receipt, decode_message
from edge_sdk.errors import MessageError

__all__ = ["read_receipt"]


def read_receipt(payload: bytes, *, receiver_id: str, epoch: str) -> Receipt | None:
    """The receipt, if it is for us.

    Args:
        payload: What came on ``down/receipt``.
        receiver_id: The one receiver whose receipts count.
        epoch: The outbox's; an earlier outbox's messages are gone.

    Returns:
        ``None`` where it is from another receiver, or for another epoch.

    Raises:
        MessageError: It breaks the schema, or has a range that is none.
    """
    receipt = decode_message(payload, Receipt)
    for first, last in (*receipt.ranges, *receipt.rejected):
        if first > last:
            raise MessageError(f"a receipt names the range {first} to {last}")
    if (receipt.receiver_id, receipt.epoch) != (receiver_id, epoch):
        return None
    return receipt

"""What the receiver says it has stored, or will never take."""

from __future__ import annotations

from edge_sdk.contract.messages import Receipt, decode_message
from edge_sdk.contract.topics import Topics
from edge_sdk.errors import BrokerError, MessageError

__all__ = ["ReceiptWatch", "read_receipt"]

_NAME_CHARACTERS = 64
_NAMES_KEPT = 8  # whoever may write receipts must not fill the memory


def read_receipt(payload: bytes) -> Receipt:
    """A receipt, whoever sent it and whatever outbox it is for.

    Args:
        payload: What came on ``down/receipt``.

    Raises:
        MessageError: It breaks the schema, or has a range that is none.
    """
    receipt = decode_message(payload, Receipt)
    for first, last in (*receipt.ranges, *receipt.rejected):
        if first > last:
            raise MessageError(f"a receipt names the range {first} to {last}")
    return receipt


class ReceiptWatch:
    """Notices when the receipts that a device waits for do not come, and says why that may be.

    Args:
        topics: Site and device.
        receiver_id: The one receiver whose receipts count.
    """

    def __init__(self, topics: Topics, receiver_id: str) -> None:
        self._topics = topics
        self._receiver_id = receiver_id
        self._foreign: list[str] = []
        self._ours_came = False
        self._silence_told = False

    def ours(self) -> None:
        """A receipt of the receiver came."""
        self._ours_came = True

    def foreign(self, receiver_id: str) -> BrokerError | None:
        """A receipt of another receiver came; what to tell of it, once for each."""
        receiver_id = receiver_id[:_NAME_CHARACTERS]
        if receiver_id in self._foreign or len(self._foreign) == _NAMES_KEPT:
            return None
        self._foreign.append(receiver_id)
        if self._ours_came:
            return None  # a second receiver beside ours does no harm
        return BrokerError(
            f"receiver '{receiver_id}' confirms; this device waits for '{self._receiver_id}'",
            hint="receiver_id of the device and --receiver-id of the monitor must be the same",
        )

    def unconfirmed(self, number: int) -> BrokerError | None:
        """So many messages are overdue; what to tell of it, once until there are none."""
        told, self._silence_told = self._silence_told, number > 0
        if not number or told:
            return None
        return BrokerError(
            f"the broker takes what this device sends, but {self._silent_receiver()}", hint=self._hint()
        )

    def why_waiting(self, taken: int) -> str:
        """Why messages wait while the connection stands, of which the broker has taken some."""
        if not taken:
            return "there was no time to send them"
        return f"the broker has taken {taken} of them, but {self._silent_receiver()}; {self._hint()}"

    def _silent_receiver(self) -> str:
        if self._foreign and not self._ours_came:
            others = ", ".join(f"'{name}'" for name in self._foreign)
            return f"{others} confirms it, and this device waits for '{self._receiver_id}'"
        return f"the receiver '{self._receiver_id}' does not confirm it"

    def _hint(self) -> str:
        return (
            f"is a monitor with --receiver-id {self._receiver_id} running, and may it read "
            f"{self._topics.base}/up/# and publish to {self._topics.receipt}?"
        )

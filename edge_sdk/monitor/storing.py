"""Commit first, confirm after that: the thread between the network and the store."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, final

from ..contract.messages import Reported, Status, encode_message
from ..contract.topics import Topics
from ..errors import StoreError
from ..mqtt.backoff import Backoff
from .incoming import BadPayload, Message, RawMessage, Received, StreamKey, parse
from .mailbox import Mailbox
from .receipt_book import ReceiptBook
from .resend_watch import ResendWatch
from .store import Store
from .store_write import Outcome

__all__ = ["MonitorEvent", "MonitorEventKind", "Storing"]

_LOGGER = logging.getLogger(__name__)

BATCH = 500
_INBOX_BYTES = 64 * 1024 * 1024
_OWED_RETRY_S = 1.0
_DISK_BACKOFF = Backoff(first_s=1.0, limit_s=30.0)

MonitorEventKind: TypeAlias = Literal[
    "connected",
    "disconnected",
    "store_failing",
    "store_working",
    "bad_payload",
    "conflict",
    "given_up",
    "receipts_unheard",
    "failed",
]


@dataclass(frozen=True, slots=True)
class MonitorEvent:
    """Something that a person who runs a monitor should see.

    Attributes:
        kind: What changed. ``given_up``: messages came faster than they could be stored, and those of
            devices that wait for no receipt are lost. ``receipts_unheard``: a device sends again and
            again what was confirmed to it. From the first ``store_failing`` (told again at each attempt) to
            ``store_working`` nothing is confirmed to any device; after ``failed`` nothing ever will
            be, and the process should end.
        text: One line about it.
    """

    kind: MonitorEventKind
    text: str


@dataclass(frozen=True, slots=True)
class _Arrival:
    raw: RawMessage
    acknowledge: Callable[[], object]


@final
class Storing:
    """Groups what arrives: while one group is written to the disk, the next gathers.

    Args:
        store: Where to.
        receiver_id: The name by which devices know this receiver.
        publish: Sends a receipt; tells whether there was a connection to send it over.
        tell: Told what a person should see, from the thread of this object.
    """

    def __init__(
        self,
        store: Store,
        receiver_id: str,
        publish: Callable[[str, bytes], bool],
        tell: Callable[[MonitorEvent], object],
    ) -> None:
        self.outcomes: Counter[Outcome] = Counter()
        self.given_up = 0
        self._store = store
        self._book = ReceiptBook(receiver_id)
        self._publish = publish
        self._tell = tell
        self._inbox: Mailbox[_Arrival] = Mailbox(_INBOX_BYTES, lambda item: len(item.raw.payload) + 1024)
        self._stopping = threading.Event()
        self._failures = 0
        self._resends = ResendWatch()
        self._thread = threading.Thread(target=self._run, name="edge-sdk-storing", daemon=True)

    def start(self) -> None:
        """Begin to write. Once only."""
        self._thread.start()

    def put(self, raw: RawMessage, acknowledge: Callable[[], object]) -> None:
        """Take a message in; never waits.

        Args:
            raw: What came.
            acknowledge: Tells the broker that it need not send it again; called once it is committed.
        """
        given_up = self._inbox.put(_Arrival(raw, acknowledge))
        if not given_up or self._stopping.is_set():
            return  # when we end, the broker keeps it for our next start
        # It gets no receipt, so a device that waits for one sends it again. The broker must go on: it
        # would hold back everything behind what is not acknowledged.
        for arrival in given_up:
            arrival.acknowledge()
        self._tell_given_up(len(given_up))

    def _tell_given_up(self, more: int) -> None:
        """Told at each doubling: a flood must not flood the log."""
        before, self.given_up = self.given_up, self.given_up + more
        if before.bit_length() < self.given_up.bit_length():
            text = (
                f"{self.given_up} messages were given up so far: they come faster than {self._store.path} "
                "can be written. Devices that wait for receipts send theirs again; others do not"
            )
            self._tell(MonitorEvent("given_up", text))

    def stop(self) -> None:
        """Write and confirm what was taken in, and end; at once where the disk fails."""
        self._stopping.set()
        self._inbox.close()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        """The outer edge of the thread."""
        try:
            while not self._inbox.is_finished:
                arrivals = self._inbox.take(BATCH, _OWED_RETRY_S if self._book else None)
                if not self._store_and_confirm(arrivals):
                    return
        except Exception as error:
            _LOGGER.exception("storing failed")
            self._tell(MonitorEvent("failed", f"storing failed, and is over: {error!r}"))

    def _store_and_confirm(self, arrivals: Sequence[_Arrival]) -> bool:
        """Whether it could be done; ``False`` where the disk failed until the end."""
        items = [item for item in map(parse, (arrival.raw for arrival in arrivals)) if item is not None]
        outcomes = self._commit(items)
        if outcomes is None:
            return False
        for item, outcome in zip(items, outcomes, strict=True):
            self._enter(item, outcome)
        self._send_receipts()
        for arrival in arrivals:
            arrival.acknowledge()
        return True

    def _commit(self, items: Sequence[Received[Message] | BadPayload]) -> list[Outcome] | None:
        """Commit, however long the disk fails; ``None`` where the end comes first."""
        outcomes = self._try_commit(items) if items else []
        while outcomes is None and not self._stopping.wait(_DISK_BACKOFF.delay_s(self._failures)):
            outcomes = self._try_commit(items)
        return outcomes

    def _try_commit(self, items: Sequence[Received[Message] | BadPayload]) -> list[Outcome] | None:
        try:
            outcomes = self._store.commit(items)
        except StoreError as error:
            self._failures += 1
            text = f"{error.message}; nothing is confirmed to any device until it can be written"
            self._tell(MonitorEvent("store_failing", text))
            return None
        if self._failures:
            self._failures = 0
            self._tell(MonitorEvent("store_working", f"{self._store.path} can be written again"))
        return outcomes

    def _enter(self, item: Received[Message] | BadPayload, outcome: Outcome) -> None:
        """Owe the device what it waits for, and tell people what is wrong."""
        self.outcomes[outcome] += 1
        if isinstance(item, BadPayload):
            text = f"quarantined a payload of {len(item.payload)} bytes on {item.topic}: {item.reason}"
            self._tell(MonitorEvent("bad_payload", text))
            if item.stream is not None and item.seq is not None:
                self._book.enter(item.stream, item.seq, rejected=True)
        elif not isinstance(item.message, (Status, Reported)):
            stream, seq = item.stream, item.message.seq
            if outcome == "conflict":
                text = f"quarantined seq {seq} of epoch {stream.epoch} of {stream.site}/{stream.device}:"
                self._tell(MonitorEvent("conflict", f"{text} it was received before, with other content"))
            self._book.enter(stream, seq, rejected=outcome == "conflict")
            if outcome == "duplicate" and self._resends.came_again(stream, seq):
                self._tell(MonitorEvent("receipts_unheard", _unheard(stream, seq)))

    def _send_receipts(self) -> None:
        unsent = [
            (stream, receipt)
            for stream, receipt in self._book.take()
            if not self._publish(Topics(stream.site, stream.device).receipt, encode_message(receipt))
        ]
        for stream, receipt in unsent:
            self._book.put_back(stream, receipt)


def _unheard(stream: StreamKey, seq: int) -> str:
    topic = Topics(stream.site, stream.device).receipt
    return (
        f"{stream.site}/{stream.device} sends seq {seq} again and again, although its receipt was published "
        f"each time: may this user publish to {topic}, may the device read it, and does it wait for this "
        "receiver id?"
    )

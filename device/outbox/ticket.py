"""What a caller holds instead of waiting for the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .writer import Writer

__all__ = ["Ticket"]


class Ticket:
    """The promise that a message will be on disk.

    Attributes:
        seq: Number of the message within the outbox's epoch.
    """

    __slots__ = ("_writer", "seq")

    def __init__(self, writer: Writer, seq: int) -> None:
        self._writer = writer
        self.seq = seq

    @property
    def committed(self) -> bool:
        """Whether the message is on disk and will survive a power cut."""
        return self._writer.committed_seq >= self.seq

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until the message is on disk. Not for the inference thread.

        Raises:
            OutboxError: It could not be written, or not in time. The writer keeps the message in
                memory and goes on trying, so a later call may return.
        """
        self._writer.wait_for(self.seq, timeout_s)

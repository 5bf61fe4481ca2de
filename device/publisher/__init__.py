"""Sending what the outbox keeps.

:class:`Publisher` is what others use. :mod:`.window` decides what may be sent, sent again or set aside,
:mod:`.presence` says that the device is there; :mod:`.receipts` reads what the receiver confirms;
:mod:`.dispatcher` does it all, without a thread, a clock or a network of its own.
"""

from __future__ import annotations

from .dispatcher import PublisherCounts
from .publisher import Publisher

__all__ = ["Publisher", "PublisherCounts"]

"""Nothing is lost: messages wait on disk until the receiver has confirmed them.

:class:`Outbox` is what others use. It is one SQLite file (WAL, ``synchronous=FULL``) with one writer
thread: :mod:`.writer` commits in groups, :mod:`.rows` are the queries, :mod:`.eviction` keeps the disk
budget and :mod:`.evicted` tells what it cost, :mod:`.opening` locks the folder by :mod:`.lock`, which
keeps a second process out, and :mod:`.database` opens the file or keeps a damaged one aside, as
:mod:`.integrity` finds it.
"""

from __future__ import annotations

from .outbox import Outbox
from .reader import OutboxCounts
from .rows import Row
from .ticket import Ticket

__all__ = ["Outbox", "OutboxCounts", "Row", "Ticket"]

"""States of devices, as a monitor has stored them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from edge_sdk.contract.messages import Reported, Status
from edge_sdk.monitor.store import Store

__all__ = ["wait_for_state"]

_StateT = TypeVar("_StateT", Reported, Status)

_PATIENCE_S = 60.0
_POLL_S = 0.02


def wait_for_state(
    store: Store, kind: type[_StateT], holds: Callable[[_StateT], bool] = lambda _: True
) -> _StateT:
    """The newest state of that kind which holds, once it is there.

    No receipt tells of a state, and no broker keeps the order between two topics: it may be stored after
    an alert that was sent after it.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        states = [state.message for state in store.states()]
        for message in states:
            if isinstance(message, kind) and holds(message):
                return message
        assert time.monotonic() < deadline, f"no such {kind.__name__} among {states}"
        time.sleep(_POLL_S)  # nobody tells what is written to a database

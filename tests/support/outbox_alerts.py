"""Alerts as a device puts them into its outbox."""

from __future__ import annotations

from typing import Any

import msgspec
from device_messages import make_alert

from device.stamper import BuildAlert
from edge_sdk.contract.messages import Alert

__all__ = ["DEVICE", "SESSION", "SITE", "alert_to_put", "end_to_put"]

SITE = "forest"
DEVICE = "box-7"
SESSION = "0190c1f0-0000-7000-8000-000000000001"
_OPENING = make_alert(site=SITE, device=DEVICE, session=SESSION)


def alert_to_put(**changes: Any) -> BuildAlert:
    """The first message of a gunshot, or what ``changes`` make of it."""
    return lambda epoch, seq: msgspec.structs.replace(_OPENING, epoch=epoch, seq=seq, **changes)


def end_to_put(last: Alert) -> BuildAlert:
    """What ends an event that a crash left open: see :meth:`.Outbox.recover`."""
    return lambda epoch, seq: msgspec.structs.replace(
        last, type="end", end_reason="restarted", epoch=epoch, seq=seq
    )

"""Alerts of pictures, for `frame_to_payload.py`.

Today's pipeline stamps sound only. An alert of a picture has the same fields and, where there is a
box, ``box`` and ``frame``; here they are written so.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from device.event_id import EventIds
from device.host_clock import SystemHostClock
from edge_sdk.contract.messages import Alert, Clock, ModelReference, encode_message, format_utc

__all__ = ["AlertWriter", "BoxAlert"]


class BoxAlert(Alert, frozen=True, kw_only=True):
    """An alert of one box.

    Attributes:
        box: ``x1, y1, x2, y2`` in pixels of the frame.
        frame: Its width and height.
    """

    box: list[float]
    frame: tuple[int, int]


class AlertWriter:
    """Stamps what was seen, and encodes it.

    Args:
        model: Its name.
        threshold: What scores had to reach.
    """

    def __init__(self, model: str, *, threshold: float) -> None:
        self._model = ModelReference(name=model, version="1.0.0", variant="float32", sha256="0" * 64)
        self._threshold = threshold
        self._ids = EventIds()
        self._host = SystemHostClock()
        self._session = str(uuid4())
        self._seq = itertools.count(1)

    def stamp(self) -> dict[str, object]:
        """What all alerts of one frame share."""
        now = format_utc(self._host.now())
        return {
            "type": "new",
            "device": "device",
            "site": "site",
            "epoch": "0" * 16,
            "session": self._session,
            "modality": "image",
            "threshold": self._threshold,
            "started_at": now,
            "ended_at": now,
            "source": "camera",
            "model": self._model,
            "clock": Clock(source="system", synced=self._host.synced()),
            "boot_id": self._host.boot_id,
            "uptime_s": round(self._host.uptime_s(), 3),
        }

    def whole_frame(self, stamp: Mapping[str, Any], label: str, score: float) -> bytes:
        """What a classifier said."""
        event_id, seq = self._ids.next(), next(self._seq)
        return encode_message(Alert(**stamp, event_id=event_id, seq=seq, label=label, score=score))

    def box(
        self, stamp: Mapping[str, Any], label: str, score: float, box: list[float], frame: tuple[int, int]
    ) -> bytes:
        """What a detector found."""
        event_id, seq = self._ids.next(), next(self._seq)
        return encode_message(
            BoxAlert(**stamp, event_id=event_id, seq=seq, label=label, score=score, box=box, frame=frame)
        )

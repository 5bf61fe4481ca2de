"""MQTT topics. ``up`` is written by the device alone, ``down`` only read by it.

edge/v1/{site}/{device}/up/alert/{label_id}
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import MessageError

__all__ = ["ROOT", "Topics", "alert_filter", "parse_topic"]

ROOT = "edge/v1"

_NAME = re.compile(r"[a-z0-9_-]{1,64}\Z")
_LABEL = re.compile(r"[a-z0-9_]{1,64}\Z")


def _checked_name(what: str, name: str) -> str:
    if not _NAME.match(name):
        raise MessageError(
            f"{what} '{name}' cannot be part of a topic",
            hint="use 1 to 64 of a-z, 0-9, '_' and '-'",
        )
    return name


def _checked_label(label_id: str) -> str:
    if not _LABEL.match(label_id):
        raise MessageError(f"label id '{label_id}' cannot be part of a topic", hint="use a-z, 0-9 and '_'")
    return label_id


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one device.

    Args:
        site: Where it stands, ``[a-z0-9_-]{1,64}``.
        device: Which one it is, ``[a-z0-9_-]{1,64}``.

    Raises:
        MessageError: A name cannot be part of a topic.
    """

    site: str
    device: str

    def __post_init__(self) -> None:
        _checked_name("site", self.site)
        _checked_name("device", self.device)

    @property
    def base(self) -> str:
        """Everything of this device is below it."""
        return f"{ROOT}/{self.site}/{self.device}"

    @property
    def status(self) -> str:
        """Retained, and the last will."""
        return f"{self.base}/up/status"

    @property
    def reported(self) -> str:
        """Retained: what the device runs."""
        return f"{self.base}/up/reported"

    @property
    def coverage(self) -> str:
        """Seconds inspected and elapsed."""
        return f"{self.base}/up/coverage"

    @property
    def dropped(self) -> str:
        """Ranges of seq that will never come, with counts."""
        return f"{self.base}/up/dropped"

    @property
    def probe(self) -> str:
        """Written and read back at connect."""
        return f"{self.base}/up/probe"

    @property
    def receipt(self) -> str:
        """Receipts from the one durable receiver."""
        return f"{self.base}/down/receipt"

    def alert(self, label_id: str) -> str:
        """Events of one label."""
        return f"{self.base}/up/alert/{_checked_label(label_id)}"


def alert_filter(site: str | None = None, device: str | None = None, label_id: str | None = None) -> str:
    """A subscription filter for alerts; ``None`` stands for any.

    Raises:
        MessageError: A name cannot be part of a topic.
    """
    site_level = "+" if site is None else _checked_name("site", site)
    device_level = "+" if device is None else _checked_name("device", device)
    label_level = "+" if label_id is None else _checked_label(label_id)
    return f"{ROOT}/{site_level}/{device_level}/up/alert/{label_level}"


def parse_topic(topic: str) -> tuple[Topics, str]:
    """Split a topic into its device and what follows, for example ``up/alert/gunshot``.

    Raises:
        MessageError: It is not one of ours.
    """
    parts = topic.split("/")
    if len(parts) < 6 or "/".join(parts[:2]) != ROOT or parts[4] not in ("up", "down"):
        raise MessageError(f"'{topic}' is not a topic of this protocol")
    return Topics(parts[2], parts[3]), "/".join(parts[4:])

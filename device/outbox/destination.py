"""Which broker the messages of an outbox are for: what waits for one is not sent to another unasked."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from edge_sdk.errors import UsageError

__all__ = ["claim"]


def claim(connection: sqlite3.Connection, path: Path, broker: str, *, redirect: bool) -> str | None:
    """Note that what is put from now on is for that broker.

    Args:
        connection: Of the writer, before it writes.
        path: The file, for the message.
        broker: By its name: see :attr:`edge_sdk.mqtt.settings.BrokerSettings.name`.
        redirect: Whether what waits for another broker may go to this one.

    Returns:
        The broker that messages were waiting for and that they go past now; else ``None``.

    Raises:
        UsageError: Messages wait for another broker. The file is as it was.
    """
    (before,) = connection.execute("SELECT broker FROM meta").fetchone()
    if before == broker:
        return None
    waiting = 0 if before is None else _waiting(connection)
    if waiting and not redirect:
        raise UsageError(
            f"{waiting} messages wait in {path.parent} for broker {before}, not for {broker}",
            hint=f"run once with the address of {before} to deliver them; --redirect-waiting sends them to "
            f"{broker} instead; --outbox DIR leaves them where they are and begins another outbox",
        )
    connection.execute("UPDATE meta SET broker = ?", (broker,))
    return str(before) if waiting else None


def _waiting(connection: sqlite3.Connection) -> int:
    """Messages, and what is still to become one: ends of open events, numbers that were given up."""
    tables = ("messages", "open_events", "evicted")
    return sum(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables)  # noqa: S608

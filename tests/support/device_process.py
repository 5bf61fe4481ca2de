"""A device that puts alerts and says which ones are on disk; tests kill it.

    python device_process.py FOLDER BROKER_URL EVENTS FIRST [--open] [--synchronous OFF]

Puts ``EVENTS`` events (``new`` and ``end`` each), numbered from ``FIRST``, and prints
``EVENT_ID TYPE`` once a ticket is committed. Then delivers everything and ends. ``--open`` puts only the
``new`` of each event, prints, and waits to be killed. ``-`` as broker sends nothing.
``--synchronous`` weakens how SQLite syncs, to show what would be lost.
"""

from __future__ import annotations

import sys
import uuid
from pathlib import Path
from threading import Event

from outbox_alerts import DEVICE, SITE, alert_to_put, end_to_put

from device.outbox import Outbox, Ticket, schema
from device.publisher import Publisher
from device.stamper import BuildAlert
from edge_sdk.contract.topics import Topics
from edge_sdk.mqtt.settings import BrokerSettings

GROUP = 10


def put_events(outbox: Outbox, first: int, number: int, kinds: tuple[str, ...]) -> None:
    waiting: list[tuple[str, Ticket]] = []
    for index in range(first, first + number):
        event_id = str(uuid.UUID(int=index))
        waiting += [(f"{event_id} {kind}", outbox.put(_build(event_id, kind))) for kind in kinds]
        if len(waiting) >= GROUP or index == first + number - 1:
            waiting[-1][1].wait(120)
            _say("\n".join(line for line, _ in waiting))
            waiting.clear()


def _build(event_id: str, kind: str) -> BuildAlert:
    return alert_to_put(event_id=event_id, type=kind, end_reason="silence" if kind == "end" else None)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    folder, url, number, first = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    stays_open = "--open" in sys.argv
    if "--synchronous" in sys.argv:
        schema.SYNCHRONOUS = sys.argv[sys.argv.index("--synchronous") + 1]
    outbox = Outbox.open(folder, site=SITE, device=DEVICE)
    outbox.recover(end_to_put)
    publisher = None
    if url != "-":
        settings = BrokerSettings.from_url(url, environment={})
        session = str(uuid.uuid4())
        topics = Topics(SITE, DEVICE)
        publisher = Publisher(outbox, settings, topics, session, receiver_id="monitor")
        publisher.start()
    put_events(outbox, first, number, ("new",) if stays_open else ("new", "end"))
    if stays_open:
        Event().wait()
    if publisher is not None:
        publisher.stop(200)
    outbox.close()


if __name__ == "__main__":
    main()

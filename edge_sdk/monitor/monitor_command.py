"""``edge-sdk monitor``: the server that stores alerts and confirms them to devices."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import TextIO

from ..console.stop_signals import StopSignals
from ..contract.messages import format_utc
from ..mqtt.broker_arguments import add_broker_arguments, broker_settings
from .mailbox import Mailbox
from .receiver import Monitor
from .store import Store
from .storing import MonitorEvent

__all__ = ["add_arguments", "run"]

_EVENTS_KEPT = 10_000
_LOOK_S = 0.2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb."""
    parser.epilog = (
        "Runs until SIGTERM or SIGINT. Messages that do not hold are quarantined in the database and "
        "never stop it."
    )
    add_broker_arguments(parser)
    parser.add_argument(
        "--database", type=Path, required=True, metavar="FILE", help="SQLite file; made where there is none"
    )
    parser.add_argument(
        "--receiver-id",
        default="monitor",
        metavar="ID",
        help="the name that devices are configured to wait for (default: %(default)s)",
    )
    parser.add_argument("--wait", action="store_true", help="keep trying where the broker is not there yet")
    parser.add_argument("--json", action="store_true", help="one object at the end; lines go to stderr")


def run(arguments: argparse.Namespace) -> int:
    """Store and confirm until asked to stop.

    Returns:
        0 after a clean end, 1 where storing failed for good.

    Raises:
        BrokerError: The broker cannot be reached at the start.
        ConfigError: The arguments do not hold.
        StoreError: The database cannot be used.
    """
    settings = broker_settings(arguments)
    logging.getLogger("edge_sdk.mqtt").addHandler(logging.NullHandler())  # its news come as events
    out = sys.stderr if arguments.json else sys.stdout
    events: Mailbox[MonitorEvent] = Mailbox(_EVENTS_KEPT, lambda _event: 1)
    with Store(arguments.database) as store:
        monitor = Monitor(settings, store, receiver_id=arguments.receiver_id, on_event=events.put)
        with StopSignals() as stop:
            _say(out, f"receiver '{arguments.receiver_id}' stores to {arguments.database}")
            try:
                monitor.start(require_broker=not arguments.wait)
                works = _follow(events, stop, out)
            finally:
                monitor.stop()
            for event in events.take(_EVENTS_KEPT, 0.0):
                _say(out, event.text)
        _summarize(monitor, store, arguments)
    return 0 if works else 1


def _follow(events: Mailbox[MonitorEvent], stop: StopSignals, out: TextIO) -> bool:
    """Print what happens until the end; whether it ends because somebody asked for it."""
    while not stop.asked:
        for event in events.take(_EVENTS_KEPT, _LOOK_S):
            _say(out, event.text)
            if event.kind == "failed":
                return False
    return True


def _say(out: TextIO, text: str) -> None:
    print(f"{format_utc(datetime.now(timezone.utc))}  {text}", file=out, flush=True)


def _summarize(monitor: Monitor, store: Store, arguments: argparse.Namespace) -> None:
    outcomes, counts = monitor.outcomes, store.counts()
    missing = sum(gap.count for gap in store.missing())
    if arguments.json:
        summary = {
            "receiver_id": arguments.receiver_id,
            "database": str(arguments.database),
            "this_run": {
                "stored": outcomes["new"],
                "duplicates": outcomes["duplicate"],
                "conflicts": outcomes["conflict"],
                "bad_payloads": outcomes["bad_payload"],
                "given_up": monitor.given_up,
            },
            "in_database": asdict(counts),
            "missing": missing,
        }
        print(json.dumps(summary), flush=True)
        return
    _say(
        sys.stdout,
        f"this run: stored {outcomes['new']}, duplicates dropped {outcomes['duplicate']}, "
        f"conflicts {outcomes['conflict']}, bad payloads {outcomes['bad_payload']}, "
        f"given up {monitor.given_up}",
    )
    _say(
        sys.stdout,
        f"{arguments.database}: devices {counts.devices}, events {counts.events}, "
        f"alerts {counts.alerts}, messages missing {missing}",
    )

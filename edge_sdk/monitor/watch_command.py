"""``edge-sdk watch``: the alerts of a broker, live."""

from __future__ import annotations

import argparse
import logging
import sys
import time

from ..console.stop_signals import StopSignals
from ..contract.messages import Alert, Status
from ..mqtt.broker_arguments import add_broker_arguments, broker_settings
from .incoming import Received
from .mailbox import Mailbox
from .subscriber import Subscriber
from .watch_lines import as_json, as_line
from .watch_state import WatchedItem
from .watch_views import LinesView, TableView, View

__all__ = ["add_arguments", "run"]

_ITEMS_KEPT = 100_000
_LOOK_S = 0.2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb."""
    parser.epilog = (
        "Shows a table in a terminal, lines elsewhere. Confirms nothing to any device. Exits 0 when asked "
        "to stop, 1 where the broker cannot be reached, or where --for ended before --count was reached."
    )
    add_broker_arguments(parser)
    parser.add_argument("--site", help="only this site")
    parser.add_argument("--device", help="only devices of this name")
    parser.add_argument("--label", help="only alerts of this label; gaps cannot be seen then")
    parser.add_argument(
        "--json",
        action="store_true",
        help="one object a line; 'kind' is alert, status, gap, bad_payload, ...",
    )
    parser.add_argument("--count", type=_positive, metavar="N", help="end after so many alerts")
    parser.add_argument(
        "--for", type=_seconds, dest="for_s", metavar="SECONDS", help="end after so many seconds"
    )
    parser.add_argument("--wait", action="store_true", help="keep trying where the broker is not there yet")


def run(arguments: argparse.Namespace) -> int:
    """Show alerts until asked to stop.

    Returns:
        0, or 1 where the time ended before ``--count`` alerts came.

    Raises:
        BrokerError: The broker cannot be reached at the start.
        UsageError: The arguments do not hold.
    """
    settings = broker_settings(arguments)
    logging.getLogger("edge_sdk.mqtt").addHandler(logging.NullHandler())  # shown by the views
    items: Mailbox[WatchedItem] = Mailbox(_ITEMS_KEPT, lambda _item: 1)
    subscriber = Subscriber(settings, site=arguments.site, device=arguments.device, label=arguments.label)
    subscriber.on(Alert, items.put)
    subscriber.on(Status, items.put)
    subscriber.on_problem(items.put)
    with StopSignals() as stop:
        view: View | None = None
        try:
            subscriber.start(require_broker=not arguments.wait)
            view = _make_view(arguments)
            reached = _follow(items, subscriber, view, stop, arguments)
        finally:
            subscriber.close()  # reports the gaps that were still waited for
            if view is not None:
                _show_what_is_left(items, view, arguments)
                view.close(subscriber.counters)
    return 0 if reached else 1


def _follow(
    items: Mailbox[WatchedItem],
    subscriber: Subscriber,
    view: View,
    stop: StopSignals,
    arguments: argparse.Namespace,
) -> bool:
    """Show what comes until the end; whether as many alerts came as were asked for."""
    deadline = None if arguments.for_s is None else time.monotonic() + arguments.for_s
    seen = 0
    while not stop.asked and (deadline is None or time.monotonic() < deadline):
        wait_s = _LOOK_S if deadline is None else min(_LOOK_S, deadline - time.monotonic())
        for item in items.take(1 if arguments.count else _ITEMS_KEPT, wait_s):
            view.show(item)
            seen += isinstance(item, Received) and isinstance(item.message, Alert)
        if arguments.count and seen >= arguments.count:
            return True
        view.refresh(subscriber.is_connected, _condition(subscriber, arguments.broker), subscriber.counters)
    return stop.asked or not arguments.count


def _show_what_is_left(items: Mailbox[WatchedItem], view: View, arguments: argparse.Namespace) -> None:
    """Problems always; messages not where only so many were asked for."""
    for item in items.take(_ITEMS_KEPT, 0.0):
        if not (arguments.count and isinstance(item, Received)):
            view.show(item)


def _condition(subscriber: Subscriber, broker: str) -> str:
    """How the connection stands, in words."""
    if subscriber.is_connected:
        return f"connected to {broker}"
    return f"connecting to {broker}" if subscriber.last_error is None else subscriber.last_error.message


def _make_view(arguments: argparse.Namespace) -> View:
    if arguments.json:
        return LinesView(as_json)
    if not sys.stdout.isatty():
        return LinesView(as_line)
    chosen = (("site", arguments.site), ("device", arguments.device), ("label", arguments.label))
    return TableView(", ".join(f"{what} {name}" for what, name in chosen if name) or "all devices")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0.0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds")
    return seconds

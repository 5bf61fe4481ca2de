"""Group commit against one commit per put, on a disk whose sync takes 4 ms longer.

    python benchmarks/outbox.py [--rounds N] [--json]

A round puts the same burst of alerts into the same outbox in both ways, in turning order: all at once
and then waiting for the last, and one after the other waiting for each. The ratio is of the two times
in one round; the table shows the median of the rounds' ratios, and how long ``put`` itself took:
alone after a pause, with cold caches, and within a burst.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from device.outbox import Outbox
from device.stamper import BuildAlert, Stamper
from edge_sdk.contract.messages import ModelReference
from edge_sdk.contract.topics import Topics
from edge_sdk.contract.values import Event

SYNC_S = 0.004
BURSTS = (10, 100)
AIM = 5.0
TOPICS = Topics("forest", "box-7")
RATE_HZ = 16_000


class Result(NamedTuple):
    """One line of the table."""

    burst: int
    ratio: float
    one_by_one_ms: float
    grouped_ms: float
    put_alone_us: float
    put_in_burst_us: float


def slow_commit(connection: sqlite3.Connection) -> None:
    """A commit on an SD card: the sync that SQLite asks for, and 4 ms more."""
    connection.commit()
    time.sleep(SYNC_S)


def measure(outbox: Outbox, burst: int, rounds: int) -> Result:
    """Time both ways of putting a burst, in pairs."""
    for one_by_one in (True, False):
        _put_all(outbox, alerts(burst), one_by_one=one_by_one)
    seconds: dict[bool, list[float]] = {True: [], False: []}
    puts: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(rounds):
        for one_by_one in (True, False) if turn % 2 == 0 else (False, True):
            made = alerts(burst)
            began = time.perf_counter()
            puts[one_by_one] += _put_all(outbox, made, one_by_one=one_by_one)
            seconds[one_by_one].append(time.perf_counter() - began)
    return Result(
        burst,
        ratio=statistics.median(
            slow / fast for slow, fast in zip(seconds[True], seconds[False], strict=True)
        ),
        one_by_one_ms=1e3 * statistics.median(seconds[True]),
        grouped_ms=1e3 * statistics.median(seconds[False]),
        put_alone_us=1e6 * statistics.median(puts[True]),
        put_in_burst_us=1e6 * statistics.median(puts[False]),
    )


def _put_all(outbox: Outbox, burst: list[BuildAlert], *, one_by_one: bool) -> list[float]:
    """Put a burst, wait until it is on disk, and give the seconds that each ``put`` took."""
    puts = []
    for alert in burst:
        began = time.perf_counter()
        ticket = outbox.put(alert)
        puts.append(time.perf_counter() - began)
        if one_by_one:
            ticket.wait()
    ticket.wait()
    return puts


def alerts(count: int) -> list[BuildAlert]:
    """As a device makes them: each of an event of its own, which has just begun."""
    model = ModelReference(name="forest-sounds", version="1.0.0", variant="int8", sha256="0" * 64)
    stamper = Stamper(TOPICS, source="mic://default", rate_hz=RATE_HZ, model=model)
    stamper.start(None, "ntp")
    return [stamper.alert(_event(number)) for number in range(count)]


def _event(number: int) -> Event:
    """A second of sound, at a time of its own."""
    start = number * RATE_HZ
    stop = start + RATE_HZ
    return Event("new", "gunshot", start, stop, score=0.9, threshold=0.5, level_dbfs=-20.0, decided_at=stop)


def _print_table(results: list[Result]) -> None:
    print(
        f"outbox: SQLite {sqlite3.sqlite_version}, WAL, synchronous=FULL, {1e3 * SYNC_S:g} ms more a commit"
    )
    heads = ("alerts", "one by one", "grouped", "ratio", "put alone", "in a burst")
    print("{:>6}  {:>12}  {:>10}  {:>6}  {:>10}  {:>10}".format(*heads))
    for result in results:
        print(
            f"{result.burst:>6}  {result.one_by_one_ms:>9.1f} ms  {result.grouped_ms:>7.1f} ms  "
            f"{result.ratio:>6.1f}  {result.put_alone_us:>7.0f} µs  {result.put_in_burst_us:>7.0f} µs"
        )
    print(f"aim: a ratio of at least {AIM:g}")


def main() -> None:
    """Measure, and print a table or one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        Outbox.open(Path(folder), site=TOPICS.site, device=TOPICS.device, commit=slow_commit) as outbox,
    ):
        results = [measure(outbox, burst, arguments.rounds) for burst in BURSTS]
    if arguments.json:
        document = {
            "benchmark": "outbox",
            "injected_sync_s": SYNC_S,
            "aim_ratio": AIM,
            "results": [result._asdict() for result in results],
        }
        print(json.dumps(document))
    else:
        _print_table(results)


if __name__ == "__main__":
    main()

"""Messages to put, and an outbox to put them in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from device.outbox import Outbox
from edge_sdk.contract.messages import Alert, Clock, Coverage, ModelReference, SourceCoverage

SESSION = "0190c1f0-0000-7000-8000-000000000001"
ALERT = Alert(
    event_id="0190c1f0-0000-7000-8000-000000000000",
    type="new",
    device="box-7",
    site="forest",
    epoch="0" * 16,
    seq=1,
    session=SESSION,
    modality="audio",
    label="gunshot",
    score=0.9,
    threshold=0.5,
    started_at="2026-11-22T12:00:00.000Z",
    source="mic://default",
    model=ModelReference(name="m", version="1.0.0", variant="int8", sha256="0" * 64),
    clock=Clock(source="ntp", synced=True),
    boot_id="boot",
    uptime_s=1.0,
)


@pytest.fixture
def alert() -> Callable[..., Callable[[str, int], Alert]]:
    """``alert(type="end", ...)`` gives what ``put`` takes."""

    def make(**changes: Any) -> Callable[[str, int], Alert]:
        return lambda epoch, seq: msgspec.structs.replace(ALERT, epoch=epoch, seq=seq, **changes)

    return make


@pytest.fixture
def coverage() -> Callable[..., Callable[[str, int], Coverage]]:
    """``coverage(inspected_s, elapsed_s)`` gives what ``put`` takes."""

    def make(inspected_s: float, elapsed_s: float, source: str = "mic") -> Callable[[str, int], Coverage]:
        def build(epoch: str, seq: int) -> Coverage:
            return Coverage(
                device="box-7",
                site="forest",
                epoch=epoch,
                seq=seq,
                session=SESSION,
                started_at=f"2026-11-22T12:{seq % 60:02}:00.000Z",
                ended_at=f"2026-11-22T13:{seq % 60:02}:00.000Z",
                sources=[SourceCoverage(source=source, inspected_s=inspected_s, elapsed_s=elapsed_s)],
            )

        return build

    return make


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Outbox]]:
    """Open an outbox that is closed with the test."""
    with ExitStack() as stack:

        def start(folder: Path = tmp_path / "outbox", **options: Any) -> Outbox:
            outbox = Outbox.open(folder, site="forest", device="box-7", **options)
            stack.callback(outbox.close)
            return outbox

        yield start

"""Messages to put, and an outbox to put them in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from outbox_alerts import DEVICE, SESSION, SITE, alert_to_put

from device.outbox import Outbox
from device.stamper import BuildAlert
from edge_sdk.contract.messages import Coverage, SourceCoverage


@pytest.fixture
def alert() -> Callable[..., BuildAlert]:
    """``alert(type="end", ...)`` gives what ``put`` takes."""
    return alert_to_put


@pytest.fixture
def coverage() -> Callable[..., Callable[[str, int], Coverage]]:
    """``coverage(inspected_s, elapsed_s)`` gives what ``put`` takes."""

    def make(inspected_s: float, elapsed_s: float, source: str = "mic") -> Callable[[str, int], Coverage]:
        def build(epoch: str, seq: int) -> Coverage:
            return Coverage(
                device=DEVICE,
                site=SITE,
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
            outbox = Outbox.open(folder, site=SITE, device=DEVICE, **options)
            stack.callback(outbox.close)
            return outbox

        yield start

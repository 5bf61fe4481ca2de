"""What is asked of a measuring process, and what it answers: JSON, one object a line."""

from __future__ import annotations

from msgspec import Struct

from edge_sdk.inference.golden_result import GoldenResult
from edge_sdk.inference.options import BackendName, EngineOptions

from ..choice_status import Status

__all__ = ["Figures", "Measured", "Request"]


class Request(Struct, frozen=True, kw_only=True):
    """What to measure.

    Attributes:
        bundle, sha256: The file, and its digest.
        seconds: How long to run with each number of threads.
        threads: How many threads an inference may use, one after the other; with the first of them all is
            measured, with the others throughput.
        options: How what runs it works, but for its threads.
    """

    bundle: str
    sha256: str
    variant: str
    backend: BackendName
    seconds: float
    threads: list[int]
    options: EngineOptions


class Figures(Struct, frozen=True, kw_only=True):
    """What was measured.

    Attributes:
        threads: With how many, where nothing else is said.
        load_ms: To load library and model.
        first_ms: The first inference.
        median_ms, p99_ms: Of the inferences after it, the first few left out.
        part_medians_ms: Medians of five parts of these, one after the other: how steady they are.
        n: How many these were.
        per_s: Inferences a second, by number of threads, in their order.
        peak_memory_mib: Of the whole process, at the most.
        added_memory_mib: What of that came with library, model and inference.
        energy_mj: Of one inference, by all that the sensor sees; null where nothing tells.
    """

    threads: int = 1
    load_ms: float
    first_ms: float
    median_ms: float
    p99_ms: float
    part_medians_ms: list[float] = []
    n: int
    per_s: dict[str, float]
    peak_memory_mib: float | None
    added_memory_mib: float | None
    energy_mj: float | None


class Measured(Struct, frozen=True, kw_only=True, tag="measured"):
    """What came of it.

    Attributes:
        status: See :data:`..choice_status.Status`; ``passed`` means its golden samples.
        error: What kind of error stood in the way, as its class is called; None where it was measured.
        reason: Why it failed or was not run.
        hint: What can be done about that.
        warnings: What libraries or our own parts said meanwhile.
    """

    variant: str
    backend: BackendName
    status: Status
    error: str | None = None
    reason: str | None = None
    hint: str | None = None
    golden: GoldenResult | None = None
    figures: Figures | None = None
    warnings: list[str] = []

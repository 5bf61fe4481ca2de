"""Several coverage messages as one, with no second lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from edge_sdk.contract.messages import Coverage, SourceCoverage

__all__ = ["merge_coverage"]


def merge_coverage(messages: Sequence[Coverage]) -> Coverage:
    """Sum the seconds and faults by source over the whole span.

    Args:
        messages: One or more, oldest first; key and session are the last one's.
    """
    sources: dict[str, SourceCoverage] = {}
    for message in messages:
        for part in message.sources:
            known = sources.get(part.source)
            sources[part.source] = part if known is None else _add(known, part)
    return msgspec.structs.replace(
        messages[-1],
        started_at=min(message.started_at for message in messages),
        ended_at=max(message.ended_at for message in messages),
        sources=list(sources.values()),
    )


def _add(one: SourceCoverage, other: SourceCoverage) -> SourceCoverage:
    return SourceCoverage(
        source=one.source,
        inspected_s=one.inspected_s + other.inspected_s,
        elapsed_s=one.elapsed_s + other.elapsed_s,
        faults=dict(Counter(one.faults) + Counter(other.faults)),
    )

"""Whether the memory of a process grows from one inference to the next: for `backends.py`."""

from __future__ import annotations

import gc
import statistics
import sys
from array import array
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from backend_cases import WARM_UP, Case, infer_picture

__all__ = ["PARTS", "Growth", "measure_growth"]

PARTS = 10
_SMAPS = Path("/proc/self/smaps_rollup")


class Growth(NamedTuple):
    """One case: what the process has more after so many inferences.

    Attributes:
        growth_kib: After all of them, and so with every page that an allocator took once.
        growth_of_part_kib: Median of the ten parts: above 0 only where most of them took more.
        python_blocks: Python's own pieces of memory, after all of them.
        python_blocks_of_part: Median of the ten parts.
    """

    model: str
    library: str
    inferences: int
    growth_kib: int
    growth_of_part_kib: float
    python_blocks: int
    python_blocks_of_part: float


def measure_growth(case: Case, inferences: int) -> Growth:
    """What grows over so many inferences, after a tenth of that, which fills caches and free lists.

    In ten parts: what fills a memory in a year grows in each of them, what a library takes now and then
    for good in a few.
    """
    infer = infer_picture(case.backend(1))
    for _ in range(max(WARM_UP, inferences // PARTS)):
        infer()
    # Arrays of plain numbers: a list would hold a new piece of Python's memory for each of them.
    kib, blocks = array("q", [0] * (PARTS + 1)), array("q", [0] * (PARTS + 1))
    _anonymous_kib()
    for part in range(PARTS + 1):
        for _ in range(inferences * part // PARTS - inferences * max(0, part - 1) // PARTS):
            infer()
        gc.collect()
        blocks[part] = sys.getallocatedblocks()
        kib[part] = _anonymous_kib()
    return Growth(
        case.name,
        case.library,
        inferences,
        growth_kib=kib[-1] - kib[0],
        growth_of_part_kib=_median_step(kib),
        python_blocks=blocks[-1] - blocks[0],
        python_blocks_of_part=_median_step(blocks),
    )


def _median_step(values: Sequence[int]) -> float:
    return statistics.median(after - before for before, after in pairwise(values))


def _anonymous_kib() -> int:
    """Memory in use that is no file's: pages of code that run for the first time are none of it.

    Read as bytes: decoding text would leave pieces of Python's memory behind, which are counted too.
    """
    with _SMAPS.open("rb") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(b"Anonymous:"))

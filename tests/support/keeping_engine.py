"""A process of its own whose engine keeps memory, and what the benchmark of backends tells of that.

Another process may have memory to give that it took before, and threads that take more meanwhile.

    PYTHONPATH=benchmarks python tests/support/keeping_engine.py KEPT_BYTES FROM TO INFERENCES
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping

import numpy as np
from backend_cases import Case
from backend_growth import measure_growth

from edge_sdk.contract.values import Array, TensorSpec


class KeepingEngine:
    """Keeps so many bytes of each inference whose number is within ``during``, the first being 1."""

    library = "a library that keeps memory"
    errors: tuple[type[Exception], ...] = (RuntimeError,)
    inputs: tuple[TensorSpec, ...] = (TensorSpec("picture", (1, 224, 224, 3), "float32"),)
    outputs: tuple[TensorSpec, ...] = (TensorSpec("scores", (1, 2), "float32"),)

    def __init__(self, kept_bytes: int, during: range) -> None:
        self._kept_bytes, self._during = kept_bytes, during
        self._kept: list[bytearray] = []
        self._inferences = 0

    def run(self, tensors: Mapping[str, Array]) -> Mapping[str, Array]:
        """Answers nothing of interest."""
        self._inferences += 1
        if self._inferences in self._during:
            self._kept.append(bytearray(b"x") * self._kept_bytes)
        return {"scores": np.zeros((1, 2), np.float32)}


def main() -> None:
    """Write what was measured as JSON."""
    kept_bytes, first, last, inferences = map(int, sys.argv[1:])
    case = Case("model", "library", lambda _: KeepingEngine(kept_bytes, range(first, last + 1)))
    json.dump(measure_growth(case, inferences)._asdict(), sys.stdout)


if __name__ == "__main__":
    main()

"""Boxes with scores, as a detector finds them."""

from __future__ import annotations

import numpy as np

from edge_sdk.contract.values import Box, Detections


def boxes(*given: tuple[Box, float]) -> Detections:
    """All of label 0."""
    return Detections(
        np.array([box for box, _ in given], dtype=np.float32).reshape(-1, 4),
        np.array([score for _, score in given], dtype=np.float32),
        np.zeros(len(given), dtype=np.int64),
    )

"""A frozen feature extractor and the small head trained on its output become one model.

Transfer learning on little data computes the features once and trains the head alone, so two files
come out. A device runs one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from edge_sdk.contract.values import Array
from edge_sdk.errors import ModelError

from ..quiet import quiet_libraries

__all__ = ["FUSION_TOLERANCE", "check_fusion", "fuse"]

FUSION_TOLERANCE = 1e-5
"""Largest difference between the fused model and the two run in turn, before any activation."""


def fuse(features: Any, head: Any, features_name: str, head_name: str) -> Any:
    """Put a head on a feature extractor.

    Args:
        features: Keras model of one input and one output.
        head: Keras model that takes that output.
        features_name: Its file, for messages.
        head_name: Its file, for messages.

    Raises:
        ModelError: The head does not take what the extractor gives.
    """
    import keras

    given = tuple(features.output_shape[1:])
    taken = tuple(head.input_shape[1:])
    if given != taken:
        raise ModelError(
            f"{head_name} takes {list(taken)}, but {features_name} gives {list(given)}",
            hint="train the head on the output of this very feature extractor",
        )
    with quiet_libraries():
        source = keras.Input(shape=features.input_shape[1:], name=features.inputs[0].name)
        return keras.Model(source, head(features(source, training=False), training=False), name="fused")


def check_fusion(
    names: str, fused: Callable[[Array], Array], in_turn: Callable[[Array], Array], batches: Iterable[Array]
) -> float:
    """Run the fused model and the two models in turn on the same inputs.

    Args:
        names: The files, for messages.
        fused: Runs the fused model on one batch.
        in_turn: Runs the feature extractor, then the head on its output.
        batches: Inputs, each with its batch axis.

    Returns:
        The largest difference: absolute where outputs stay within 1, as probabilities do, and
        relative to the largest output of the batch where they go beyond, as logits do.

    Raises:
        ModelError: It is more than :data:`FUSION_TOLERANCE`.
    """
    largest = max(_difference(fused(batch), in_turn(batch)) for batch in batches)
    if not largest <= FUSION_TOLERANCE:
        raise ModelError(
            f"{names} fused differ by {largest:.3g} from the two run in turn",
            hint=f"more than {FUSION_TOLERANCE:g} is no rounding; a layer behaves differently when nested",
        )
    return largest


def _difference(one: Array, other: Array) -> float:
    return float(np.max(np.abs(one - other)) / max(1.0, float(np.max(np.abs(other)))))

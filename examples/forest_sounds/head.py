"""The head: a small network from the base's features to one logit per label."""

from __future__ import annotations

import os
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .base import FEATURES
from .dataset import LABELS
from .features import SceneSet

if TYPE_CHECKING:
    import keras

_LEAST_DEVIATION = 0.15
_UNKNOWN = -1.0
_UNUSED_KEY = re.compile(rb', "quantization_config": null')


@dataclass(frozen=True)
class HeadSettings:
    """How the head is trained; chosen by cross-validation (see the model card).

    Attributes:
        hidden: Units of the hidden layer.
        feature_dropout, hidden_dropout: Shares that are dropped while training.
        smoothing: Targets are this far from 0 and 1, which bounds the logits.
        epochs, batch, learning_rate, weight_decay: Of AdamW with a cosine decay.
    """

    hidden: int = 128
    feature_dropout: float = 0.5
    hidden_dropout: float = 0.5
    smoothing: float = 0.01
    epochs: int = 30
    batch: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 0.1


def train_head(scenes: SceneSet, settings: HeadSettings, seed: int) -> keras.Model:
    """Trains a head.

    Returns:
        A model from ``[n, FEATURES]`` to logits ``[n, labels]``. The standardisation of the
        features is folded into its first layer.
    """
    import keras

    keras.utils.set_random_seed(seed)
    mean, deviation = _statistics(scenes.features)
    features = keras.Input((FEATURES,), name="features")
    x = keras.layers.Dropout(settings.feature_dropout)(features)
    hidden = keras.layers.Dense(settings.hidden, "relu")
    logits = keras.layers.Dense(len(LABELS))
    x = keras.layers.Dropout(settings.hidden_dropout)(hidden(x))
    model = keras.Model(features, logits(x))
    steps = settings.epochs * -(-len(scenes.features) // settings.batch)
    rate = keras.optimizers.schedules.CosineDecay(settings.learning_rate, steps)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=settings.weight_decay)
    model.compile(optimizer, loss=_masked_loss(settings.smoothing))
    model.fit(
        (scenes.features - mean) / deviation,
        np.nan_to_num(scenes.targets, nan=_UNKNOWN),
        batch_size=settings.batch,
        epochs=settings.epochs,
        verbose=0,
    )
    return _folded(hidden.get_weights(), logits.get_weights(), mean, deviation)


def predict_scores(head: keras.Model, features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Scores 0..1 of a head, ``[n, labels]``."""
    logits = np.asarray(head.predict(features, batch_size=1024, verbose=0), np.float64)
    return 1.0 / (1.0 + np.exp(-logits))


def save_head(head: keras.Model, path: Path) -> None:
    """Writes the head, for older releases of Keras too; the file appears whole or not at all."""
    partial = path.with_name(f".{path.stem}.{os.getpid()}.keras")
    try:
        head.save(partial)
        drop_unused_keys(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def drop_unused_keys(saved: Path) -> None:
    """Takes out of a ``.keras`` file what Keras 3.15 notes of each layer, and Keras 3.12 would refuse.

    Python 3.10 has no later Keras than 3.12. Only a key that says nothing is dropped.
    """
    with zipfile.ZipFile(saved) as archive:
        members = {member: archive.read(member) for member in archive.infolist()}
    with zipfile.ZipFile(saved, "w") as archive:
        for member, content in members.items():
            plain = _UNUSED_KEY.sub(b"", content) if member.filename == "config.json" else content
            archive.writestr(member, plain)


def _statistics(
    features: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and deviation per feature; a feature that hardly moves is not blown up."""
    deviation = features.std(axis=0)
    floor = _LEAST_DEVIATION * np.median(deviation[deviation > 0])
    return features.mean(axis=0), np.maximum(deviation, floor)


def _masked_loss(smoothing: float) -> Any:
    """Binary cross-entropy of logits over the labels that are known."""
    from keras import ops

    def loss(targets: Any, logits: Any) -> Any:
        known = ops.cast(ops.not_equal(targets, _UNKNOWN), "float32")
        smooth = ops.clip(targets, smoothing, 1.0 - smoothing)
        entropy = ops.relu(logits) - logits * smooth + ops.softplus(-ops.abs(logits))
        return ops.sum(known * entropy, axis=-1)

    return loss


def _folded(
    hidden: list[NDArray[np.float32]],
    logits: list[NDArray[np.float32]],
    mean: NDArray[np.float32],
    deviation: NDArray[np.float32],
) -> keras.Model:
    import keras

    kernel = hidden[0] / deviation[:, None]
    features = keras.Input((FEATURES,), name="features")
    # No random start, of which Keras 3.15 notes more than 3.12 would read.
    first = keras.layers.Dense(hidden[1].size, "relu", kernel_initializer="zeros", name="hidden")
    last = keras.layers.Dense(len(LABELS), kernel_initializer="zeros", name="logits")
    model = keras.Model(features, last(first(features)), name="head")
    first.set_weights([kernel, hidden[1] - mean @ kernel])
    last.set_weights(logits)
    return model

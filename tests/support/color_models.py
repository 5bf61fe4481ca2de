"""A Keras classifier of colours whose weights are set by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from converters.quiet import import_tensorflow, quiet_libraries


def keras_color_model(path: Path, *, rescaling: bool = False, side: int = 8) -> Path:
    """Which channel is strongest, by a convolution and a dense layer with set weights; pixels of 0..1."""
    import_tensorflow()
    import keras

    layers = keras.layers
    with quiet_libraries():
        picture = keras.Input((side, side, 3), name="picture")
        scaled = layers.Rescaling(1 / 255)(picture) if rescaling else picture
        smooth = layers.Conv2D(3, 1, activation="relu", name="smooth")
        dense = layers.Dense(3, activation="sigmoid", name="colors")
        model = keras.Model(picture, dense(layers.GlobalAveragePooling2D()(smooth(scaled))))
        smooth.set_weights([np.eye(3, dtype=np.float32)[None, None], np.zeros(3, dtype=np.float32)])
        dense.set_weights([(24 * np.eye(3) - 8).astype(np.float32), np.full(3, -3, dtype=np.float32)])
        model.save(path)
    return path

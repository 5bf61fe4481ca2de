"""Small models that do something to their pictures before anything else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from converters.quiet import import_tensorflow, quiet_libraries
from converters.sources.open_source import open_source
from converters.sources.source_model import SourceModel

SIDE = 4


def keras_source(path: Path, *layers: Any) -> SourceModel:
    """A Keras model that begins with these."""
    import_tensorflow()
    import keras

    with quiet_libraries():
        picture = keras.Input((SIDE, SIDE, 3), name="picture")
        value = picture
        for layer in layers:
            value = layer(value)
        hidden = keras.layers.Conv2D(2, 1)(value)
        keras.Model(picture, keras.layers.GlobalAveragePooling2D()(hidden)).save(path)
    with open_source((path,), fit_input=lambda _: (1, SIDE, SIDE, 3)) as source:
        return source

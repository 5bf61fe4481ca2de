"""The two models that `frame_to_payload.py` times beside FastestDet, made from EfficientNet-Lite0.

    python benchmarks/picture_models.py FOLDER

The classifier is the network with its ImageNet weights, 224 px. The detector is its backbone at
320 px with a head of YOLOX's form for 80 classes on strides 8, 16 and 32 (Ge et al., 2021, with
depthwise separable convolutions). Nothing has trained that head: its weights are random, with biases
that leave a few boxes a picture, so its time and the work of decoding it are real and its boxes
mean nothing. Making them takes TensorFlow, which must not share a process with what is timed.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

__all__ = ["CLASSIFIER", "CLASSIFIER_SIDE", "DETECTOR", "DETECTOR_SIDE"]

CLASSIFIER, CLASSIFIER_SIDE = "efficientnet_lite0.tflite", 224
DETECTOR, DETECTOR_SIDE = "lite0_yolox_head.tflite", 320

_CLASSES = 80
_CHANNELS = 96
_LEVELS = ("blocks_4_add", "blocks_10_add")  # strides 8 and 16; the backbone's end has 32
_OBJECTNESS_BIAS, _CLASS_BIAS, _SPREAD = -6.5, -3.0, 3.0


def main() -> None:
    """Write both models."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    from examples.forest_sounds.lite0 import build_classifier

    keras.utils.set_random_seed(0)
    _write(folder / CLASSIFIER, build_classifier())
    _write(folder / DETECTOR, _detector())


def _detector() -> keras.Model:
    """From ``[n, 320, 320, 3]``, RGB as ``(x - 127) / 128``, to ``[n, 2100, 85]``."""
    import keras

    from examples.forest_sounds.lite0 import Lite0Builder, read_weights

    build = Lite0Builder(read_weights())
    picture = keras.Input((DETECTOR_SIDE, DETECTOR_SIDE, 3), batch_size=1, name="picture")
    backbone = keras.Model(picture, build.features(picture, blocks=16))
    build.fill()
    levels = [*(backbone.get_layer(name).output for name in _LEVELS), backbone.output]
    candidates = keras.layers.Concatenate(axis=1)([_head(level) for level in levels])
    return keras.Model(picture, candidates, name="lite0_yolox_head")


def _head(level: Any) -> Any:
    """Box, objectness and classes of each cell of one level: ``[n, cells, 85]``."""
    from keras import layers

    x = layers.Conv2D(_CHANNELS, 1)(level)
    boxes, classes = _tower(x), _tower(x)
    box = _last(4, boxes, 0.0)
    objectness = layers.Activation("sigmoid")(_last(1, boxes, _OBJECTNESS_BIAS))
    scores = layers.Activation("sigmoid")(_last(_CLASSES, classes, _CLASS_BIAS))
    joined = layers.Concatenate()([box, objectness, scores])
    return layers.Reshape((-1, 5 + _CLASSES))(joined)


def _tower(x: Any) -> Any:
    from keras import layers

    for _ in range(2):
        x = layers.SeparableConv2D(_CHANNELS, 3, padding="same")(x)
        x = layers.ReLU(6.0)(x)
    return x


def _last(numbers: int, x: Any, bias: float) -> Any:
    from keras import initializers, layers

    kernel = initializers.RandomNormal(stddev=_SPREAD)
    return layers.Conv2D(numbers, 1, kernel_initializer=kernel, bias_initializer=initializers.Constant(bias))(
        x
    )


def _write(path: Path, model: keras.Model) -> None:
    """Convert by the SavedModel route: the others are not sound with Keras 3."""
    import tensorflow as tf

    picture = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32, name="picture")
    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, format="tf_saved_model", input_signature=[picture], verbose=False)
        content = tf.lite.TFLiteConverter.from_saved_model(folder).convert()
    path.write_bytes(content)


if __name__ == "__main__":
    main()

"""What the two recipes are made of: a frozen base, and a small head on its feature map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ..forest_sounds.lite0 import Lite0Builder, read_weights
from .dataset import FLOWERS

if TYPE_CHECKING:
    import keras

HeadKind = Literal["pool", "flatten"]

SIDE = 160
_BLOCKS = 16
_HIDDEN = 128
_DROPPED = 0.5


def build_base() -> keras.Model:
    """EfficientNet-Lite0 without its classifier, frozen.

    Returns:
        A model from pictures ``[n, 160, 160, 3]`` to a feature map ``[n, 5, 5, 1280]``.

    Raises:
        MissingExtraError: The package with its weights is not installed.
    """
    import keras

    build = Lite0Builder(read_weights())
    picture = keras.Input((SIDE, SIDE, 3), name="picture")
    features = build.convolution(build.features(picture, blocks=_BLOCKS), "_conv_head", "_bn1")
    base = keras.Model(picture, features, name="efficientnet_lite0")
    build.fill()
    base.trainable = False
    return base


def build_head(feature_shape: tuple[int, ...], kind: HeadKind) -> keras.Model:
    """A head on a feature map.

    Args:
        feature_shape: ``(height, width, channels)``: 7 x 7 x 512 for VGG16 at 224 pixels.
        kind: ``pool``: global average, then one layer. ``flatten``: every place of the map has its own
            weights, with a hidden layer of 128.

    Returns:
        A model from feature maps to the flowers' probabilities.
    """
    import keras
    from keras import layers

    if kind == "pool":
        middle = [layers.GlobalAveragePooling2D(), layers.Dropout(_DROPPED)]
    else:
        middle = [layers.Flatten(), layers.Dense(_HIDDEN, activation="relu"), layers.Dropout(_DROPPED)]
    last = layers.Dense(len(FLOWERS), activation="softmax")
    return keras.Sequential([keras.Input(feature_shape, name="features"), *middle, last], name="head")


def put_together(base: keras.Model, head: keras.Model) -> keras.Model:
    """The frozen base inside a Sequential, with the head's layers after it."""
    import keras

    return keras.Sequential([keras.Input(base.input_shape[1:], name="picture"), base, *head.layers])

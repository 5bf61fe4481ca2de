"""Pictures that the tests of the image path share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_sdk.contract.values import Pixels
from edge_sdk.image.picture_file import read_picture


@pytest.fixture(scope="session")
def dog(shared_data: Path) -> Pixels:
    """A photo of a dog and a bicycle, 576 rows, 768 columns."""
    return read_picture(shared_data / "images/darknet/dog.jpg")


@pytest.fixture(scope="session")
def marked() -> Pixels:
    """40 rows, 60 columns, all four corners of different colours (BGR), smooth between."""
    rows = np.linspace(0, 1, 40)[:, np.newaxis]
    columns = np.linspace(0, 1, 60)[np.newaxis]
    planes = (200 * rows + 0 * columns, 100 * columns + 0 * rows, 250 * (1 - rows) * columns)
    return np.stack(planes, axis=-1).round().astype(np.uint8)

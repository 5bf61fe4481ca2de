"""The tensor equals its written definition, for every size, way of fitting, colour order and layout."""

from __future__ import annotations

import hashlib
import platform
from typing import Literal, get_args

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edge_sdk.contract.image import ColorOrder, ImageInput, Interpolation, ResizeMode
from edge_sdk.contract.values import Array, Float32Array, Pixels
from edge_sdk.errors import UsageError
from edge_sdk.image.opencv_linear import foreign_resizers, resize_linear
from edge_sdk.image.placement import place
from edge_sdk.image.prepare import Preparation

IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)
X86_ONLY = pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64"), reason="OpenCV's own, which differs by processor"
)
PICTURES = arrays.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3)))


@st.composite
def inputs(draw: st.DrawFn) -> ImageInput:
    colors: tuple[ColorOrder, ...] = ("rgb", "bgr", "gray")
    color = draw(st.sampled_from(colors))
    channels = 1 if color == "gray" else 3
    numbers = st.sampled_from([1, channels])
    return ImageInput(
        width=draw(st.integers(1, 40)),
        height=draw(st.integers(1, 40)),
        layout=draw(st.sampled_from(["nhwc", "nchw"])),
        color=color,
        resize=draw(st.sampled_from(["stretch", "letterbox", "crop"])),
        interpolation=draw(st.sampled_from(["nearest", "bilinear"])),
        crop_fraction=draw(st.floats(0.1, 1)),
        pad_value=draw(st.floats(0, 255, width=32)),
        pad_anchor=draw(st.sampled_from(["center", "top_left"])),
        mean=draw(st.sampled_from([(0.0,), IMAGENET_MEAN[:channels], (127.5,) * draw(numbers)])),
        std=draw(st.sampled_from([(1.0,), IMAGENET_STD[:channels], (255.0,) * draw(numbers)])),
    )


def resized_by_hand(pixels: Array, height: int, width: int, interpolation: str) -> Array:
    """Nearest or bilinear between the middles of pixels, in double precision."""

    def axis(array: Array, new: int, interpolation: str) -> Array:
        old = len(array)
        middle = (np.arange(new) + 0.5) * old / new
        if interpolation == "nearest":
            under: Array = array[np.floor(middle + 1e-9).astype(int)]
            return under
        at = np.clip(middle - 0.5, 0, old - 1)
        low = np.floor(at).astype(int)
        high = np.minimum(low + 1, old - 1)
        share = (at - low).reshape(-1, *[1] * (array.ndim - 1))
        mixed: Array = array[low] * (1 - share) + array[high] * share
        return mixed

    rows = axis(pixels.astype(np.float64), height, interpolation)
    return axis(rows.swapaxes(0, 1), width, interpolation).swapaxes(0, 1)


def by_hand(image: ImageInput, pixels: Pixels) -> Array:
    """The stages, one after the other, in double precision and without rounding between them."""
    placement = place(image, *pixels.shape[:2])
    source, target = placement.source, placement.target
    cut = pixels[source.y : source.y + source.height, source.x : source.x + source.width]
    fitted = resized_by_hand(cut, target.height, target.width, image.interpolation)
    if image.color == "gray":
        fitted = fitted @ np.array([[0.114], [0.587], [0.299]])
    elif image.color == "rgb":
        fitted = fitted[..., ::-1]
    whole = np.full((image.height, image.width, fitted.shape[2]), image.pad_value)
    whole[target.y : target.y + target.height, target.x : target.x + target.width] = fitted
    scaled: Array = (whole - np.array(image.mean)) / np.array(image.std)
    return scaled.transpose(2, 0, 1) if image.layout == "nchw" else scaled


@given(image=inputs(), pixels=PICTURES)
def test_the_tensor_is_what_the_definition_says(image: ImageInput, pixels: Pixels) -> None:
    tensor, placement = Preparation(image).tensor(pixels)
    expected = by_hand(image, pixels)
    assert tensor.shape == (1, *expected.shape)
    assert tensor.dtype == np.float32
    # Resizing rounds to whole numbers, less than a level off; grey rounds once more.
    assert np.abs(tensor[0] - expected).max() <= 1.5 / min(image.std) + 1e-5
    assert placement == place(image, *pixels.shape[:2])


@given(image=inputs(), pictures=st.lists(PICTURES, min_size=2, max_size=4))
def test_a_picture_leaves_nothing_behind_for_the_next(image: ImageInput, pictures: list[Pixels]) -> None:
    used = Preparation(image)
    for pixels in pictures:
        assert np.array_equal(used.tensor(pixels).tensor, Preparation(image).tensor(pixels).tensor)


@given(image=inputs(), pixels=PICTURES)
def test_layouts_hold_the_same_numbers(image: ImageInput, pixels: Pixels) -> None:
    last = msgspec.structs.replace(image, layout="nhwc")
    first = msgspec.structs.replace(image, layout="nchw")
    a, b = Preparation(last).tensor(pixels).tensor, Preparation(first).tensor(pixels).tensor
    assert np.array_equal(a.transpose(0, 3, 1, 2), b)


@pytest.mark.parametrize("layout", ["nhwc", "nchw"])
def test_scaling_is_float32_arithmetic_to_the_last_bit(layout: Literal["nhwc", "nchw"], dog: Pixels) -> None:
    image = ImageInput(width=768, height=576, layout=layout, mean=IMAGENET_MEAN, std=IMAGENET_STD)
    tensor = Preparation(image).tensor(dog).tensor[0]
    rgb = dog[..., ::-1].astype(np.float32)
    expected = (rgb - np.array(IMAGENET_MEAN, np.float32)) / np.array(IMAGENET_STD, np.float32)
    assert np.array_equal(tensor, expected if layout == "nhwc" else expected.transpose(2, 0, 1))


@pytest.mark.parametrize(
    ("mode", "color", "mean", "std"),
    [
        ("caffe", "bgr", (103.939, 116.779, 123.68), (1.0,)),
        ("tf", "rgb", (127.5,), (127.5,)),
        ("torch", "rgb", (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
    ],
)
def test_scaling_equals_keras_preprocess_input(
    mode: str,
    color: Literal["rgb", "bgr"],
    mean: tuple[float, ...],
    std: tuple[float, ...],
    dog: Pixels,
) -> None:
    imagenet_utils = pytest.importorskip("keras.applications.imagenet_utils")
    image = ImageInput(width=224, height=224, color=color, mean=mean, std=std)
    plain = ImageInput(width=224, height=224)
    rgb = Preparation(plain).tensor(dog).tensor
    expected: Float32Array = imagenet_utils.preprocess_input(rgb.copy(), mode=mode)
    assert Preparation(image).tensor(dog).tensor == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_stretching_equals_tensorflow_within_a_grey_level(dog: Pixels) -> None:
    tf = pytest.importorskip("tensorflow")
    ours = Preparation(ImageInput(width=224, height=224, color="bgr")).tensor(dog).tensor[0]
    theirs: Float32Array = tf.image.resize(dog, (224, 224), method="bilinear", antialias=False).numpy()
    assert np.abs(ours - theirs).max() < 1
    assert np.abs(ours - theirs).mean() < 0.27  # rounding alone is 0.25


def test_letterboxing_equals_ultralytics_within_a_grey_level(dog: Pixels) -> None:
    cv2 = pytest.importorskip("cv2")
    image = ImageInput(width=416, height=416, color="rgb", layout="nchw", resize="letterbox", std=(255.0,))
    small = cv2.resize(dog, (416, 312), interpolation=cv2.INTER_LINEAR)
    gray = (114, 114, 114)
    padded = cv2.copyMakeBorder(small, 52, 52, 0, 0, cv2.BORDER_CONSTANT, value=gray)
    expected = padded[..., ::-1].transpose(2, 0, 1).astype(np.float32) / 255
    assert np.abs(Preparation(image).tensor(dog).tensor[0] - expected).max() <= 1.001 / 255


def test_letterboxing_equals_ultralytics_to_the_bit_with_opencvs_own_rounding(dog: Pixels) -> None:
    cv2 = pytest.importorskip("cv2")
    image = ImageInput(
        width=416, height=416, color="bgr", resize="letterbox", interpolation="opencv_bilinear"
    )
    small = cv2.resize(dog, (416, 312), interpolation=cv2.INTER_LINEAR)
    if foreign_resizers(cv2.getBuildInformation()) - {"ipp"}:
        small = resize_linear(dog, (416, 312), np.empty((312, 416, 3), np.uint8))
    expected = cv2.copyMakeBorder(small, 52, 52, 0, 0, cv2.BORDER_CONSTANT, value=(114, 114, 114))
    assert (Preparation(image).tensor(dog).tensor[0] == expected).all()


def test_letterboxing_equals_yolox_within_a_grey_level(dog: Pixels) -> None:
    cv2 = pytest.importorskip("cv2")
    image = ImageInput(
        width=640, height=640, color="bgr", layout="nchw", resize="letterbox", pad_anchor="top_left"
    )
    padded = np.full((640, 640, 3), 114, np.uint8)
    ratio = min(640 / 576, 640 / 768)
    size = (int(768 * ratio), int(576 * ratio))
    padded[: size[1], : size[0]] = cv2.resize(dog, size, interpolation=cv2.INTER_LINEAR)
    expected = padded.transpose(2, 0, 1).astype(np.float32)
    assert np.abs(Preparation(image).tensor(dog).tensor[0] - expected).max() <= 1


def test_a_crop_sees_what_torchvision_sees(dog: Pixels) -> None:
    cv2 = pytest.importorskip("cv2")
    image = ImageInput(width=224, height=224, color="bgr", resize="crop", crop_fraction=0.875)
    # torchvision: the shorter side to 256, then the middle 224.
    small = cv2.resize(dog, (round(768 * 256 / 576), 256), interpolation=cv2.INTER_AREA)
    left, top = (small.shape[1] - 224) // 2, (256 - 224) // 2
    theirs = small[top : top + 224, left : left + 224].astype(float)
    ours = Preparation(image).tensor(dog).tensor[0]
    shifted = np.abs(ours[:, 4:] - theirs[:, :-4]).mean()
    assert np.abs(ours - theirs).mean() < min(8.0, 0.5 * shifted)


@pytest.mark.parametrize(
    ("interpolation", "digest"),
    [
        ("nearest", "1e4b827984159436"),
        ("bilinear", "cb51b2daf60f5891"),
        ("opencv_bilinear", "fce73c8c17ca98d2"),
        pytest.param("bicubic", "9cbbad47e14d0ba4", marks=X86_ONLY),
        pytest.param("area", "c302899d3a0137fb", marks=X86_ONLY),
    ],
)
def test_every_machine_computes_the_same_bits(interpolation: Interpolation, digest: str) -> None:
    # OpenCV 4.10 and 5.0, with vector instructions and without, gave these.
    numbers = np.arange(211 * 307 * 3, dtype=np.uint64) * 2_654_435_761 >> 13
    pixels = numbers.astype(np.uint8).reshape(211, 307, 3)
    computed = hashlib.sha256()
    modes: tuple[ResizeMode, ...] = ("stretch", "letterbox", "crop")
    colors: tuple[ColorOrder, ...] = ("rgb", "gray")
    for resize in modes:
        for color in colors:
            for width, height in ((64, 64), (500, 333), (97, 201)):
                image = ImageInput(
                    width=width,
                    height=height,
                    resize=resize,
                    color=color,
                    interpolation=interpolation,
                    crop_fraction=0.875,
                    mean=(123.675,),
                    std=(58.395,),
                )
                computed.update(Preparation(image).tensor(pixels).tensor.astype("<f4").tobytes())
    assert computed.hexdigest()[:16] == digest


@pytest.mark.parametrize("interpolation", get_args(Interpolation))
def test_every_interpolation_keeps_corners_and_evenness(interpolation: Interpolation, marked: Pixels) -> None:
    for side in (20, 90):
        image = ImageInput(width=side, height=side, color="bgr", interpolation=interpolation)
        tensor = Preparation(image).tensor(marked).tensor[0]
        for row in (0, -1):
            for column in (0, -1):
                assert np.abs(tensor[row, column] - marked[row, column]).max() <= 12
        even = np.full((33, 47, 3), 77, np.uint8)
        assert (Preparation(image).tensor(even).tensor == 77).all()


def test_a_view_of_a_larger_picture_is_a_picture(dog: Pixels) -> None:
    prepare = Preparation(ImageInput(width=50, height=50))
    for view in (dog[100:300, 200:350], dog[::-1], dog[:, ::-1], dog[::2, ::3]):
        once = prepare.tensor(view).tensor.copy()
        assert np.array_equal(once, prepare.tensor(np.ascontiguousarray(view)).tensor)


def test_the_tensor_is_one_buffer(dog: Pixels) -> None:
    prepare = Preparation(ImageInput(width=50, height=50))
    assert prepare.tensor(dog).tensor is prepare.tensor(dog[:100]).tensor


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((10, 10), np.uint8),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((0, 10, 3), np.uint8),
        np.zeros((10, 10, 3), np.float32),
    ],
)
def test_what_is_no_picture_is_refused(wrong: Array) -> None:
    prepare = Preparation(ImageInput(width=8, height=8))
    prepare.tensor(np.zeros((10, 10, 3), np.uint8))
    with pytest.raises(UsageError, match=r"must be uint8 \[height, width, 3\]"):
        prepare.tensor(wrong)

"""Every kind of picture file becomes upright 8-bit pixels, or an error that says why not."""

from __future__ import annotations

import io
import struct
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from edge_sdk.contract.values import Array, Pixels
from edge_sdk.errors import ImageError, UsageError
from edge_sdk.image.picture_file import MAX_PIXELS, is_picture, read_picture

ORIENTATION = 0x0112


@pytest.fixture(scope="session")
def parrot(shared_data: Path) -> Image.Image:
    with Image.open(shared_data / "images/coral/parrot.jpg") as photo:
        return photo.convert("RGB").resize((90, 60))


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Path]:
    def save(picture: Image.Image, name: str, **options: Any) -> Path:
        picture.save(tmp_path / name, **options)
        return tmp_path / name

    return save


def bgr(picture: Image.Image) -> Array:
    return np.asarray(picture.convert("RGB"))[..., ::-1]


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    content = io.BytesIO()
    picture.save(content, kind, **options)
    return content.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds almost no pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_a_photo_is_read_as_its_pixels_in_blue_green_red(shared_data: Path) -> None:
    path = shared_data / "images/coral/parrot.jpg"
    with Image.open(path) as photo:
        assert np.array_equal(read_picture(path), bgr(photo))


def test_the_pixels_belong_to_the_caller(shared_data: Path) -> None:
    pixels = read_picture(shared_data / "images/coral/parrot.jpg")
    assert pixels.flags.c_contiguous
    pixels[:] = 0  # can be written to


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr"])
def test_modes_are_read_as_training_libraries_read_them(
    mode: str, parrot: Image.Image, saved: Callable[..., Path]
) -> None:
    name = {"CMYK": "picture.tif", "YCbCr": "picture.jpg"}.get(mode, "picture.png")
    path = saved(parrot.convert(mode), name)
    with Image.open(path) as stored:
        assert np.array_equal(read_picture(path), bgr(stored))


def test_grey_is_the_same_in_all_channels(parrot: Image.Image, saved: Callable[..., Path]) -> None:
    gray = parrot.convert("L")
    pixels = read_picture(saved(gray, "gray.jpg", quality=100))
    assert pixels.shape == (60, 90, 3)
    assert (pixels == pixels[..., :1]).all()
    assert np.abs(pixels[..., 0].astype(int) - np.asarray(gray)).max() <= 2


def test_a_clear_pixel_has_the_colour_that_the_file_gives_it(
    parrot: Image.Image, saved: Callable[..., Path]
) -> None:
    clear = parrot.copy()
    clear.putalpha(0)
    assert np.array_equal(read_picture(saved(clear, "clear.png")), bgr(parrot))


def test_a_palette_with_transparency_is_looked_up(parrot: Image.Image, saved: Callable[..., Path]) -> None:
    palette = parrot.quantize(16)
    path = saved(palette, "palette.png", transparency=bytes(range(16)))
    assert np.array_equal(read_picture(path), bgr(palette))


@pytest.mark.parametrize("name", ["deep.png", "deep.tif", "deep.pgm"])
def test_of_16_bits_grey_the_upper_8_remain(name: str, saved: Callable[..., Path]) -> None:
    deep = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64) * 16
    pixels = read_picture(saved(Image.fromarray(deep), name))
    assert np.array_equal(pixels[..., 1], deep >> 8)
    assert (pixels == pixels[..., :1]).all()


def test_of_16_bits_rgb_the_upper_8_remain(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    deep = np.random.default_rng(0).integers(0, 65_536, (20, 30, 3), dtype=np.uint16)
    assert cv2.imwrite(str(tmp_path / "deep.png"), deep)
    assert np.array_equal(read_picture(tmp_path / "deep.png"), deep >> 8)


def test_a_cmyk_jpeg_with_adobes_inverted_inks_keeps_its_colours(
    parrot: Image.Image, saved: Callable[..., Path]
) -> None:
    path = saved(parrot.convert("CMYK"), "cmyk.jpg", quality=100)
    assert b"Adobe" in path.read_bytes()
    assert np.abs(read_picture(path).astype(int) - bgr(parrot)).mean() < 2


@pytest.mark.parametrize("name", ["held.jpg", "held.png", "held.webp", "held.tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_upright(
    orientation: int, name: str, parrot: Image.Image, saved: Callable[..., Path]
) -> None:
    # What a viewer does to show the file upright, undone: this is how the camera was held.
    undo = {6: 8, 8: 6}.get(orientation, orientation)
    turn = Image.Exif()
    turn[ORIENTATION] = undo
    held = parrot.copy()
    held.info["exif"] = turn.tobytes()
    held = ImageOps.exif_transpose(held)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    pixels = read_picture(saved(held, name, exif=exif, quality=95))
    assert pixels.shape == (60, 90, 3)
    assert np.abs(pixels.astype(int) - bgr(parrot)).mean() < 8


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_an_impossible_orientation_turns_nothing(
    orientation: int, parrot: Image.Image, saved: Callable[..., Path]
) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    assert np.array_equal(read_picture(saved(parrot, "odd.png", exif=exif)), bgr(parrot))


def test_broken_exif_does_not_cost_the_picture(parrot: Image.Image, saved: Callable[..., Path]) -> None:
    path = saved(parrot, "exif.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f and no more")
    assert read_picture(path).shape == (60, 90, 3)


@pytest.mark.parametrize("name", ["animation.gif", "animation.webp", "series.mpo"])
def test_of_an_animation_the_first_frame_is_read(
    name: str, parrot: Image.Image, saved: Callable[..., Path]
) -> None:
    later = [Image.new("RGB", parrot.size, color) for color in ("red", "blue")]
    path = saved(parrot, name, save_all=True, append_images=later)
    assert np.abs(read_picture(path).astype(int) - bgr(parrot)).mean() < 15


def test_a_single_pixel_is_a_picture(saved: Callable[..., Path]) -> None:
    path = saved(Image.new("RGB", (1, 1), (10, 20, 30)), "dot.png")
    assert read_picture(path).tolist() == [[[30, 20, 10]]]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "PPM", "TIFF"])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.95])
def test_a_truncated_file_is_refused(kind: str, share: float, parrot: Image.Image, tmp_path: Path) -> None:
    content = encoded(parrot, kind)
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ImageError, match=r"cut\.jpg (is truncated or damaged|cannot be read)"):
        read_picture(cut)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    with pytest.raises(ImageError, match=r"empty\.png is empty"):
        read_picture(tmp_path / "empty.png")


def test_a_text_named_as_a_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "note.jpg").write_text("the camera was stolen")
    with pytest.raises(ImageError, match=r"note\.jpg cannot be read as a picture") as refused:
        read_picture(tmp_path / "note.jpg")
    assert "JPEG, PNG" in str(refused.value.hint)


@pytest.mark.parametrize("brand", [b"heic", b"mif1", b"avif"])
def test_a_heic_picture_is_named_as_one(brand: bytes, tmp_path: Path) -> None:
    (tmp_path / "IMG_0001.jpg").write_bytes(b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0mif1" + bytes(100))
    with pytest.raises(ImageError, match="HEIC or AVIF") as refused:
        read_picture(tmp_path / "IMG_0001.jpg")
    assert "heif-convert" in str(refused.value.hint)


def test_floating_point_pixels_are_refused(saved: Callable[..., Path]) -> None:
    path = saved(Image.fromarray(np.ones((4, 4), np.float32)), "float.tif")
    with pytest.raises(ImageError, match="mode F"):
        read_picture(path)


@pytest.mark.parametrize(("width", "height"), [(10_000, 10_000), (20_000, 20_000), (2**31 - 1, 2**31 - 1)])
def test_a_picture_of_100_megapixels_or_more_is_refused_by_its_header(
    width: int, height: int, tmp_path: Path
) -> None:
    (tmp_path / "bomb.png").write_bytes(png_header(width, height))
    with pytest.raises(ImageError, match="too large") as refused:
        read_picture(tmp_path / "bomb.png")
    assert "67.1 megapixels" in str(refused.value.hint)


def test_the_limit_itself_is_read(tmp_path: Path) -> None:
    # In one bit a pixel, so that the test's own picture is small.
    Image.new("1", (8192, 8)).save(tmp_path / "wide.png")
    assert MAX_PIXELS == 8192 * 8192
    assert read_picture(tmp_path / "wide.png").shape == (8, 8192, 3)
    (tmp_path / "limit.png").write_bytes(png_header(8192, 8192))
    with pytest.raises(ImageError, match="truncated or damaged"):  # decoded, since its size is allowed
        read_picture(tmp_path / "limit.png")


def test_a_missing_file_and_a_folder_are_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no file"):
        read_picture(tmp_path / "missing.jpg")
    with pytest.raises(UsageError, match="is not a file"):
        read_picture(tmp_path)


@given(data=st.data())
def test_a_damaged_file_is_read_or_refused_and_nothing_else(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows = np.arange(12 * 16 * 3, dtype=np.uint8).reshape(12, 16, 3)
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    kind = data.draw(st.sampled_from(["JPEG", "PNG", "GIF", "BMP", "WEBP", "PPM"]))
    content = bytearray(encoded(Image.fromarray(rows), kind, exif=exif))
    places = st.integers(0, len(content) - 1)
    for place in data.draw(st.lists(places, min_size=1, max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.picture"
    path.write_bytes(content[: data.draw(st.integers(1, len(content)))])
    try:
        pixels: Pixels = read_picture(path)
    except ImageError:
        return
    assert pixels.ndim == 3
    assert pixels.dtype == np.uint8


def test_threads_may_read_at_the_same_time(shared_data: Path) -> None:
    paths = sorted((shared_data / "images/fastestdet").glob("*.jpg"))
    shapes: dict[Path, tuple[int, ...]] = {}

    def read(path: Path) -> None:
        shapes[path] = read_picture(path).shape

    threads = [threading.Thread(target=read, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shapes == {path: read_picture(path).shape for path in paths}


@pytest.mark.parametrize(
    ("name", "expected"), [("a.JPG", True), ("b.jpeg", True), ("c.txt", False), ("jpg", False)]
)
def test_a_picture_is_known_by_its_name(name: str, expected: bool) -> None:  # noqa: FBT001
    assert is_picture(name) is expected

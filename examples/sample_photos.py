"""Photos that scikit-image brings in its wheel; it is not installed for them."""

from __future__ import annotations

from edge_sdk.demo.wheels import WheelFile

_RELEASE = "scikit-image==0.25.2"  # the last one for Python 3.10; the photos are the same in later ones

ASTRONAUT = WheelFile(
    _RELEASE,
    "skimage/data/astronaut.png",
    "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    "Eileen Collins, NASA, public domain",
)
COFFEE = WheelFile(
    _RELEASE,
    "skimage/data/coffee.png",
    "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
    "Rachel Michetti, CC0",
)
CHELSEA = WheelFile(
    _RELEASE,
    "skimage/data/chelsea.png",
    "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
    "Stefan van der Walt, CC0",
)

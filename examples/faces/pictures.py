"""Lays out two photos with a face and two without, and where the faces are (marked by hand).

    python -m examples.faces.pictures --output faces-pictures

They show that a detector was read right. They say nothing about how good it is.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from edge_sdk.demo.sample_photos import ASTRONAUT
from edge_sdk.demo.wheels import cache_folder, fetch
from edge_sdk.errors import EdgeSdkError

from ..photo_list import default_photos, refuse_missing

FACES_JSON = Path(__file__).with_name("faces.json")
_FROM_CORAL = ("grace_hopper.bmp", "parrot.jpg", "hot_dog.jpg")


def lay_out(photos: Path, output: Path, cache: Path) -> None:
    """Copy photos and annotations into a folder.

    Raises:
        DatasetError: The other photos are not there; nothing was copied.
        InputError: pip could not get the astronaut's photo.
        OSError: The folder cannot be written.
    """
    refuse_missing(photos, [f"coral/{name}" for name in _FROM_CORAL])
    output.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(fetch(ASTRONAUT, cache), output / "astronaut.png")
    for name in _FROM_CORAL:
        shutil.copyfile(photos / "coral" / name, output / name)
    shutil.copyfile(FACES_JSON, output / FACES_JSON.name)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.faces.pictures",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--photos", type=Path, default=default_photos(), metavar="DIR")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR")
    options = parser.parse_args(arguments)
    try:
        lay_out(options.photos, options.output, cache_folder())
    except (EdgeSdkError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        if isinstance(error, EdgeSdkError) and error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

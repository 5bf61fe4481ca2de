"""Lays out photos to calibrate and judge a network of ImageNet's classes with.

    python -m examples.imagenet.photos --photos ../shared/data/images --output photos

Of ImageNet's classes the photos have one in numbers, daisies, which judge; ``agreement`` holds photos
of other things, whose right answer nobody wrote down: see ``agreement.py``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from edge_sdk.errors import EdgeSdkError

from ..photo_list import default_photos, lay_out, read_list

PHOTOS_CSV = Path(__file__).with_name("photos.csv")


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.imagenet.photos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--photos", type=Path, default=default_photos(), metavar="DIR")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR")
    options = parser.parse_args(arguments)
    try:
        lay_out(read_list(PHOTOS_CSV), options.photos, options.output)
    except EdgeSdkError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())

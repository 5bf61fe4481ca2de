"""``edge-sdk predict BUNDLE FILE...``: what a bundle hears in recordings, or sees in pictures and videos."""

from __future__ import annotations

import argparse
from pathlib import Path

from edge_sdk.console.arguments import at_least_one, share
from edge_sdk.contract.bundle import Bundle
from edge_sdk.contract.file_kinds import kind_of
from edge_sdk.errors import UsageError
from edge_sdk.inference.thread_argument import add_threads_argument

from .inference_settings import add_config_argument, read_settings
from .model_choice import add_choice_arguments
from .predict_document import LABELS_TOLD

__all__ = ["add_arguments", "run"]

_FOR_SOUND = ("channel",)
_FOR_PICTURES = ("save", "threshold", "every")
_NOT_FOR_BOXES = ("top",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="the .edge file")
    parser.add_argument(
        "files",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="WAV, FLAC or OGG files; or pictures and videos; or folders of them",
    )
    add_choice_arguments(parser, default="what was picked here, else the first that works")
    add_threads_argument(parser, default=None)
    add_config_argument(parser)
    parser.add_argument(
        "--top", type=at_least_one, metavar="N", help=f"labels to tell of each (default: {LABELS_TOLD})"
    )
    parser.add_argument("--summary", action="store_true", help="leave single windows and frames out")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument(
        "--channel",
        type=at_least_one,
        metavar="N",
        help="sound: counted from 1; by default the mean of all channels",
    )
    parser.add_argument(
        "--save", type=Path, metavar="DIR", help="pictures: draw what was found, and write it there"
    )
    parser.add_argument(
        "--threshold", type=share, metavar="T", help="pictures: for all labels, instead of the bundle's"
    )
    parser.add_argument("--every", type=at_least_one, metavar="N", help="videos: look at each Nth frame")


def run(arguments: argparse.Namespace) -> int:
    """Run the bundle on files.

    Returns:
        0, or 1 where a file could not be used; the others are told all the same.

    Raises:
        UsageError: Nothing is at one of the paths, no file of the right kind is in one of the folders,
            or an argument is for the other kind of bundle.
    """
    settings = read_settings(arguments, threads=arguments.threads)
    bundle = Bundle.open(arguments.bundle)
    _refuse_the_other_kind(arguments.files, bundle)
    if bundle.manifest.modality == "audio":
        _refuse(arguments, _FOR_PICTURES, f"bundle {bundle.manifest.name} listens to sound")
        from .predict_sound_command import predict_sound

        return predict_sound(bundle, settings, arguments)
    _refuse(arguments, _FOR_SOUND, f"bundle {bundle.manifest.name} looks at pictures")
    if bundle.manifest.task == "detect":
        _refuse(
            arguments, _NOT_FOR_BOXES, f"bundle {bundle.manifest.name} tells of all boxes over a threshold"
        )
    from .predict_pictures_command import predict_pictures

    return predict_pictures(bundle, settings, arguments)


def _refuse(arguments: argparse.Namespace, names: tuple[str, ...], why: str) -> None:
    for name in names:
        if getattr(arguments, name) is not None:
            raise UsageError(f"{why}; --{name} is not for it")


def _refuse_the_other_kind(paths: list[Path], bundle: Bundle) -> None:
    other, does = ("picture", "listens") if bundle.manifest.modality == "audio" else ("recording", "looks")
    for path in paths:
        if kind_of(path) == other:
            raise UsageError(f"bundle {bundle.manifest.name} {does}, and {path} is a {other}")

"""Where drawn pictures and videos go: named as their originals, and never over what is there."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from edge_sdk.contract.values import Pixels
from edge_sdk.errors import UsageError
from edge_sdk.image.draw import write_picture
from edge_sdk.image.video_file import is_video
from edge_sdk.image.video_writer import VideoWriter

__all__ = ["SavedPictures", "Write"]

Write: TypeAlias = Callable[[Pixels, float | None], None]
"""Takes a drawn picture and, of a video, the frames a second."""

_WRITTEN_AS_THEY_ARE = {".jpg", ".jpeg", ".png"}
_FRAMES_A_SECOND = 25.0


class SavedPictures:
    """A folder of drawn pictures.

    Args:
        folder: Where they go; it is made.
        given: Files and folders as they were given: below a folder, names keep their path.
        paths: All files that will be looked at.

    Raises:
        UsageError: The folder cannot be made, lies in one that is looked at, or a drawn picture would
            replace what is there.
    """

    def __init__(self, folder: Path, given: Sequence[Path], paths: Sequence[Path]) -> None:
        _refuse_inside(folder, given)
        self._targets: dict[Path, Path] = {}
        taken: set[Path] = set()
        originals = {path.resolve() for path in paths}
        for path in dict.fromkeys(paths):
            target = _free(folder / _name(path, given), taken)
            if target.resolve() in originals:
                raise UsageError(
                    f"the drawn {target} would replace an original", hint="give --save another folder"
                )
            if target.exists():
                raise UsageError(
                    f"{target} is there already, and would be replaced by a drawn picture",
                    hint="move it, or give --save another folder",
                )
            taken.add(target)
            self._targets[path] = target
        try:
            for target in taken | {folder / "."}:
                target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot make the folder {folder}: {error.strerror or error}") from error

    def target(self, path: Path) -> Path:
        """Where the drawn form of that file goes."""
        return self._targets[path]

    @contextlib.contextmanager
    def writing(self, path: Path) -> Iterator[Write]:
        """Write the drawn form of a file; a video appears when the block ends.

        Raises:
            UsageError: It cannot be written.
        """
        target = self._targets[path]
        if not is_video(path):
            yield lambda pixels, _rate_hz: write_picture(target, pixels)
            return
        with VideoWriter(target) as video:
            yield lambda pixels, rate_hz: video.write(pixels, rate_hz or _FRAMES_A_SECOND)


def _refuse_inside(folder: Path, given: Sequence[Path]) -> None:
    """Drawings among what is looked at would be judged as pictures by the next run."""
    place = folder.resolve()
    for top in given:
        if top.is_dir() and top.resolve() in (place, *place.parents):
            raise UsageError(
                f"--save {folder} is in {top}, which is looked at: the next run would judge the drawings too",
                hint=f"give --save a folder outside of {top}",
            )


def _name(path: Path, given: Sequence[Path]) -> Path:
    inside = next((path.relative_to(top) for top in given if top in path.parents), Path(path.name))
    if ".." in inside.parts:  # a file that was given by a way out of that folder
        inside = Path(path.name)
    if is_video(path):
        return inside.with_suffix(".mp4")
    return inside if inside.suffix.lower() in _WRITTEN_AS_THEY_ARE else inside.with_suffix(".png")


def _free(target: Path, taken: set[Path]) -> Path:
    """The path, or the first with a number behind its name that no other file has."""
    number, free = 1, target
    while free in taken:
        number += 1
        free = target.with_stem(f"{target.stem}-{number}")
    return free

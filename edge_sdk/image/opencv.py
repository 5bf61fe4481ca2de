"""OpenCV, imported in this module only, by the first function that needs it.

There must be one. Its distributions on PyPI (``opencv-python``, ``-headless``, ``-contrib``, ...) all
write the same folder ``cv2``, so two of them leave a mix of both; and a distribution from PyPI hides
the OpenCV that a Jetson's system brings, with its access to the camera and the GPU.
"""

from __future__ import annotations

import functools
import importlib
import os
import sys
import warnings
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from types import ModuleType

from msgspec import Struct

from ..errors import MissingExtraError, UsageError

__all__ = ["InstalledOpenCV", "installed_opencvs", "load_opencv"]

_DISTRIBUTIONS = (
    "opencv-contrib-python-headless",
    "opencv-contrib-python",
    "opencv-python-headless",
    "opencv-python",
)
# What our errors say is not said a second time on stderr. Read once, by cv2 and by FFmpeg inside it;
# who sets them sees all of it.
_QUIET = {"OPENCV_LOG_LEVEL": "SILENT", "OPENCV_FFMPEG_LOGLEVEL": "-8", "OPENCV_VIDEOIO_DEBUG": "0"}
_THREADS = "OPENCV_FOR_THREADS_NUM"


class InstalledOpenCV(Struct, frozen=True):
    """One OpenCV that Python could import.

    Attributes:
        distribution: Its name for pip; empty for one that pip did not install.
        version: Its version; empty where pip does not know.
        folder: The folder that holds ``cv2``.
    """

    distribution: str
    version: str
    folder: Path

    def __str__(self) -> str:
        if self.distribution:
            return f"{self.distribution} {self.version}"
        return f"the OpenCV in {self.folder}"


@functools.cache
def load_opencv() -> ModuleType:
    """Import OpenCV and hold it to one thread.

    A picture takes OpenCV less than a millisecond or two, and its threads spin for a while
    after each: time that the inference engine's threads lose. ``OPENCV_FOR_THREADS_NUM`` in the
    environment sets another number.

    Returns:
        The module ``cv2``.

    Raises:
        MissingExtraError: There is none.
        UsageError: There is one that does not load, for example a mix of two.

    Warns:
        UserWarning: More than one is installed; once in a process.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    found = installed_opencvs()
    try:
        opencv = importlib.import_module("cv2")
    except ModuleNotFoundError as error:
        if error.name != "cv2":
            raise _does_not_load(error, found) from error
        raise MissingExtraError("cv2", "camera-opencv") from error
    except (ImportError, AttributeError) as error:  # a mix of two fails with either
        raise _does_not_load(error, found) from error
    if len(found) > 1:
        warnings.warn(_several(found), UserWarning, stacklevel=2)
    if _THREADS not in os.environ:
        opencv.setNumThreads(1)
    return opencv


def installed_opencvs(path: Sequence[str] | None = None) -> list[InstalledOpenCV]:
    """Every OpenCV that Python could import, in the order of ``sys.path``.

    Args:
        path: Folders to search instead of ``sys.path``.

    Returns:
        PyPI's distributions by their metadata, and each ``cv2`` that belongs to none of them.
    """
    found = []
    for entry in dict.fromkeys(sys.path if path is None else path):
        folder = Path(entry)
        here = [
            InstalledOpenCV(distribution.name, distribution.version, folder)
            for name in _DISTRIBUTIONS
            for distribution in metadata.distributions(name=name, path=[entry])
        ]
        if not here and _holds_module(folder):
            here = [InstalledOpenCV("", "", folder)]
        found += here
    return found


def _holds_module(folder: Path) -> bool:
    return (folder / "cv2" / "__init__.py").is_file() or any(folder.glob("cv2*.so"))


def _several(found: list[InstalledOpenCV]) -> str:
    return f"more than one OpenCV is installed: {' and '.join(map(str, found))}. {_remedy(found)}"


def _does_not_load(error: Exception, found: list[InstalledOpenCV]) -> UsageError:
    if len(found) > 1:
        return UsageError(f"OpenCV does not load ({error}): {_several(found)}")
    return UsageError(
        f"OpenCV is installed ({', '.join(map(str, found))}), but does not load: {error}",
        hint=_remedy(found),
    )


def _remedy(found: list[InstalledOpenCV]) -> str:
    """The commands that leave exactly one OpenCV that works."""
    names = sorted({opencv.distribution for opencv in found if opencv.distribution})
    remove = f"pip uninstall -y {' '.join(names)}" if names else ""
    if any(not opencv.distribution for opencv in found):
        return f"To keep the system's: {remove}" if remove else "Repair it with the system's packages."
    install = "pip install opencv-contrib-python-headless"
    return f"Remove all of them, then install one: {remove} && {install}"

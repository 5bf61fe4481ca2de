"""The two files of a conversion, the bundle and what was timed: both appear, or neither."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from edge_sdk.contract.bundle import Bundle
from edge_sdk.errors import ConversionError, UsageError

from .report.report_file import Measured, encode_report

__all__ = ["check_output", "measured_path", "write_results"]


def check_output(path: Path, *, force: bool = False) -> None:
    """Refuse a place that cannot be written to, before any work.

    Args:
        path: The bundle to write.
        force: Replace one that is there already.

    Raises:
        UsageError: The folder is missing or read-only, one of the two files is a folder, or there is a
            bundle already.
    """
    _refuse_folder(path)
    _refuse_folder(measured_path(path))
    if path.exists() and not force:
        raise UsageError(
            f"{path} is there already",
            hint="--force replaces it (force=True in Python); or give it another name",
        )
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent} to write {path.name} into")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise UsageError(f"cannot write into {path.parent}: {error.strerror or error}") from error


def _refuse_folder(path: Path) -> None:
    if path.is_dir():
        raise UsageError(f"{path} is a folder", hint="name the bundle's file: NAME-VERSION.edge")


def measured_path(output: Path) -> Path:
    """``NAME.measured.json`` beside ``NAME.edge``."""
    stem = output.name.removesuffix(".edge")
    return output.with_name(f"{stem}.measured.json")


def write_results(
    output: Path,
    write: Callable[[Path], Bundle],
    describe: Callable[[Bundle], Measured],
    *,
    force: bool = False,
) -> tuple[Bundle, Measured]:
    """Write both files aside, then rename both; the bundle comes last, as the sign that all is there.

    Args:
        output: Where the bundle goes; :func:`measured_path` is beside it.
        write: Writes the bundle to the path it is given.
        describe: What was timed, for that bundle.
        force: Replace a bundle that is there already.

    Returns:
        The bundle where it lies now, and what was timed.

    Raises:
        BundleError: The bundle cannot be written; what was there before is left as it was.
        ConversionError: One of them cannot be put in its place, or a bundle appeared there meanwhile;
            what was there before is left as it was.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".edge-sdk-", dir=output.parent) as folder:
            aside = Path(folder) / output.name
            measured = describe(write(aside))  # the bundle is not kept: it is opened again where it will lie
            measured_path(aside).write_bytes(encode_report(measured))
            if output.exists() and not force:  # it was not when the work began
                raise ConversionError(f"{output} has appeared meanwhile, and is not replaced")
            _put_in_place(aside, output)
    except OSError as error:
        raise ConversionError(f"cannot write {output}: {error}") from error
    return Bundle.open(output), measured


def _put_in_place(aside: Path, output: Path) -> None:
    """Rename both files; where the second cannot be, the first is as it was."""
    measured = measured_path(output)
    before = measured.read_bytes() if measured.is_file() else None
    measured_path(aside).replace(measured)
    try:
        aside.replace(output)
    except OSError:
        if before is None:
            measured.unlink()
        else:
            measured.write_bytes(before)
        raise

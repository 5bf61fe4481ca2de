"""The two files of a conversion, the bundle and what was timed: both appear, or neither."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from edge_sdk.contract.bundle import Bundle
from edge_sdk.errors import ConversionError, UsageError

from .report.report_file import Measured, encode_report

__all__ = ["check_output", "measured_path", "write_results"]


def check_output(path: Path) -> None:
    """Refuse a place that cannot be written to, before any work.

    Raises:
        UsageError: The folder is missing or read-only, or one of the two files is a folder.
    """
    _refuse_folder(path)
    _refuse_folder(measured_path(path))
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
    output: Path, write: Callable[[Path], Bundle], describe: Callable[[Bundle], Measured]
) -> tuple[Bundle, Measured]:
    """Write both files aside, then rename both; the bundle comes last, as the sign that all is there.

    Args:
        output: Where the bundle goes; :func:`measured_path` is beside it.
        write: Writes the bundle to the path it is given.
        describe: What was timed, for that bundle.

    Returns:
        The bundle where it lies now, and what was timed.

    Raises:
        BundleError: The bundle cannot be written; there is neither file.
        ConversionError: One of them cannot be put in its place; there is neither file.
    """
    beside = measured_path(output)
    try:
        with tempfile.TemporaryDirectory(prefix=".edge-sdk-", dir=output.parent) as folder:
            aside = Path(folder) / output.name
            bundle = write(aside)
            measured = describe(bundle)
            measured_path(aside).write_bytes(encode_report(measured))
            measured_path(aside).replace(beside)
            try:
                aside.replace(output)
            except OSError:
                beside.unlink()
                raise
    except OSError as error:
        raise ConversionError(f"cannot write {output}: {error}") from error
    return Bundle.open(output), measured

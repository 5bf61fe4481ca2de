"""What is asked of a conversion, and the checks that need neither spec nor model."""

from __future__ import annotations

import math
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from edge_sdk.errors import ConversionError, UsageError
from edge_sdk.inference.thread_argument import MAX_THREADS

from .data.dataset import check_folder
from .report.report_file import Measured, encode_report
from .variants.recipes import RECIPES, parse_variants

__all__ = ["Request", "check_output", "check_request", "measured_path", "write_measured"]


@dataclass(frozen=True, slots=True)
class Request:
    """A conversion to be done.

    Attributes:
        models: One model, or a feature extractor and its head.
        spec: The SPEC.toml.
        calibration: Folder of recordings for integer variants.
        evaluation: Folder of recordings that judge.
        output: The bundle to write.
        variants: Names, or None for the default ones.
        max_drop: How much the metric may lose.
        threads: Threads for one inference.
    """

    models: tuple[Path, ...]
    spec: Path
    calibration: Path | None
    evaluation: Path
    output: Path
    variants: tuple[str, ...] | None = None
    max_drop: float = 0.01
    threads: int = 1


def check_request(request: Request) -> tuple[str, ...]:
    """Check what can be checked at once; gives the variants asked for.

    Raises:
        UsageError: Something does not hold; nothing was started.
    """
    asked = parse_variants(request.variants)
    if not (math.isfinite(request.max_drop) and 0 <= request.max_drop <= 1):
        raise UsageError(f"max-drop must be 0..1, not {request.max_drop:g}")
    if not 1 <= request.threads <= MAX_THREADS:
        raise UsageError(f"threads must be 1 to {MAX_THREADS}, not {request.threads}")
    for path in request.models:
        if not path.exists():
            raise UsageError(f"there is no model {path}")
    for folder in (request.evaluation, request.calibration):
        if folder is not None:
            check_folder(folder)
    needing = [name for name in asked if name in RECIPES and RECIPES[name].needs_calibration]
    if request.calibration is None and request.variants is not None and needing:
        raise UsageError(
            f"{', '.join(needing)} needs calibration recordings",
            hint="give --calibration DIR: ranges are measured on real sound, never invented",
        )
    check_output(request.output)
    return asked


def check_output(path: Path) -> None:
    """Refuse a place that cannot be written to, before any work.

    Raises:
        UsageError: The folder is missing or read-only, or the path is a folder.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder", hint="name the bundle's file: NAME-VERSION.edge")
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent} to write {path.name} into")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise UsageError(f"cannot write into {path.parent}: {error.strerror or error}") from error


def measured_path(output: Path) -> Path:
    """``NAME.measured.json`` beside ``NAME.edge``."""
    stem = output.name.removesuffix(".edge")
    return output.with_name(f"{stem}.measured.json")


def write_measured(path: Path, measured: Measured) -> None:
    """Write what was timed, in one step.

    Raises:
        ConversionError: It cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(encode_report(measured))
        partial.replace(path)
    except OSError as error:
        raise ConversionError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)

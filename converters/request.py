"""What is asked of a conversion, and the checks that need neither spec nor model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from edge_sdk.contract.file_kinds import mistaken_for
from edge_sdk.errors import UsageError
from edge_sdk.inference.thread_argument import MAX_THREADS

from .data.sample_files import check_folder
from .result_files import check_output
from .variants.recipes import RECIPES, parse_variants

__all__ = ["Request", "check_request"]


@dataclass(frozen=True, slots=True)
class Request:
    """A conversion to be done.

    Attributes:
        models: One model, or a feature extractor and its head.
        spec: The SPEC.toml.
        calibration: Folder of recordings or pictures for integer variants.
        evaluation: Folder of others, which judge.
        output: The bundle to write.
        variants: Names, or None for the default ones.
        max_drop: How much the metric may lose.
        threads: Threads for one inference.
        force: Replace a bundle that is there already.
        modelopt_python: The Python of an environment with NVIDIA's Model Optimizer, to make int8 ONNX.
    """

    models: tuple[Path, ...]
    spec: Path
    calibration: Path | None
    evaluation: Path
    output: Path
    variants: tuple[str, ...] | None = None
    max_drop: float = 0.01
    threads: int = 1
    force: bool = False
    modelopt_python: Path | None = None


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
        mistake = mistaken_for(path, "model")
        if mistake is not None:
            raise UsageError(mistake[0], hint=mistake[1])
    for folder in (request.evaluation, request.calibration):
        if folder is not None:
            check_folder(folder)
    needing = [name for name in asked if name in RECIPES and RECIPES[name].needs_calibration]
    if request.calibration is None and request.variants is not None and needing:
        raise UsageError(
            f"{', '.join(needing)} needs calibration recordings or pictures",
            hint="give --calibration DIR: ranges are measured on real data, never invented",
        )
    if request.modelopt_python is not None and not request.modelopt_python.is_file():
        raise UsageError(
            f"there is no Python {request.modelopt_python}",
            hint="an environment of its own: python3 -m venv MODELOPT; "
            "MODELOPT/bin/pip install 'nvidia-modelopt[onnx]'; --modelopt-python MODELOPT/bin/python",
        )
    check_output(request.output, force=request.force)
    return asked

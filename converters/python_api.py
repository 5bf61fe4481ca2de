"""``converters.convert``: the conversion as one function."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from edge_sdk.console.progress import Progress, SilentProgress
from edge_sdk.contract.bundle import Bundle
from edge_sdk.errors import UsageError

from .conversion import run_conversion
from .request import Request

__all__ = ["convert"]

PathLike: TypeAlias = "str | os.PathLike[str]"


def convert(  # noqa: PLR0913  (one call does the whole job; all but three have defaults)
    model: PathLike | None = None,
    *,
    spec: PathLike,
    evaluation: PathLike,
    output: PathLike,
    calibration: PathLike | None = None,
    features: PathLike | None = None,
    head: PathLike | None = None,
    variants: Sequence[str] | None = None,
    max_drop: float = 0.01,
    threads: int = 1,
    force: bool = False,
    modelopt_python: PathLike | None = None,
    progress: Progress | None = None,
) -> Bundle:
    """Turn a trained model into a bundle, and prove each variant in it.

    Args:
        model: A ``.keras`` file, SavedModel folder, ``.tflite`` or ``.onnx``.
        spec: The SPEC.toml: see :mod:`converters.spec.spec_file`.
        evaluation: Labelled recordings (:mod:`converters.data.dataset`) or pictures
            (:mod:`converters.data.pictures`) that judge.
        output: The bundle to write; what was timed goes beside it, as ``NAME.measured.json``.
        calibration: Others, for integer variants; for a detector, pictures without labels will do.
        features: Instead of ``model``: a Keras feature extractor ...
        head: ... and the Keras head that was trained on its output.
        variants: Names; None for all but ``tflite-int16x8`` and ``onnx-mixed``.
        max_drop: A variant that loses more of the metric, overall or for any label, is refused.
        threads: Threads for one inference.
        force: Replace a bundle that is there already.
        modelopt_python: The Python of an environment with NVIDIA's Model Optimizer, to make int8 ONNX by it.
        progress: Told how far the work is.

    Returns:
        The bundle, opened again from disk.

    Raises:
        UsageError: The arguments or the spec do not hold; nothing was started.
        InputError: The model or samples cannot be used.
        GateRefusedError: No variant was good enough; nothing was written.
        BundleError: The bundle cannot be written.
    """
    request = Request(
        models=chosen_models(model, features, head),
        spec=Path(spec),
        calibration=None if calibration is None else Path(calibration),
        evaluation=Path(evaluation),
        output=Path(output),
        variants=None if variants is None else tuple(variants),
        max_drop=max_drop,
        threads=threads,
        force=force,
        modelopt_python=None if modelopt_python is None else Path(modelopt_python),
    )
    return run_conversion(request, progress or SilentProgress(), lambda _report, _latency: None).bundle


def chosen_models(
    model: PathLike | None, features: PathLike | None, head: PathLike | None
) -> tuple[Path, ...]:
    """One model, or a feature extractor and its head.

    Raises:
        UsageError: Neither, or both, or half a pair.
    """
    pair = [part for part in (features, head) if part is not None]
    if model is not None and not pair:
        return (Path(model),)
    if model is None and len(pair) == 2:
        return (Path(pair[0]), Path(pair[1]))
    raise UsageError(
        "give either one model, or a feature extractor and its head",
        hint="edge-sdk convert MODEL ...  or  edge-sdk convert --features BASE.keras --head HEAD.keras ...",
    )

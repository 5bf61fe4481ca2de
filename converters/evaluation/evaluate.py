"""``converters.evaluate``: a bundle on labelled data, as one function."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

from edge_sdk.console.progress import Progress, SilentProgress
from edge_sdk.contract.bundle import Bundle
from edge_sdk.inference.open import choose_variant, open_backend

from ..data.sample_files import check_folder
from ..quiet import quiet_libraries
from .pictures import BoxEvaluation, PictureEvaluation, evaluate_boxes, evaluate_pictures
from .sound import SoundEvaluation, evaluate_sound

__all__ = ["Evaluation", "evaluate"]

Evaluation: TypeAlias = "SoundEvaluation | PictureEvaluation | BoxEvaluation"
PathLike: TypeAlias = "str | os.PathLike[str]"


def evaluate(
    bundle: Bundle | PathLike,
    samples: PathLike,
    *,
    variant: str | None = None,
    threads: int = 1,
    progress: Progress | None = None,
) -> Evaluation:
    """Score a bundle on labelled recordings or pictures.

    Args:
        bundle: The bundle, or its path.
        samples: A folder of labelled recordings (:mod:`converters.data.dataset`) or pictures
            (:mod:`converters.data.pictures`), as the bundle takes.
        variant: Which one; None for the first whose engine is installed.
        threads: Threads for one inference.
        progress: Told how far the work is.

    Raises:
        DatasetError: The samples cannot be used.
        UsageError: There is no such variant.
        BackendError: The variant cannot be loaded or run here.
    """
    opened = bundle if isinstance(bundle, Bundle) else Bundle.open(Path(bundle))
    manifest, folder = opened.manifest, Path(samples)
    chosen = choose_variant(manifest, variant)
    check_folder(folder)
    told = progress or SilentProgress()
    with quiet_libraries():
        backend = open_backend(
            opened.read(chosen.file), chosen.format, threads=threads, name=f"{opened.path} {chosen.name}"
        )
    with backend:
        if manifest.modality == "audio":
            return evaluate_sound(opened, chosen.name, folder, backend, told)
        if manifest.task == "classify":
            return evaluate_pictures(opened, chosen, folder, backend, told)
        return evaluate_boxes(opened, chosen, folder, backend, told)

"""Opening a trained model, whatever made it; a library is imported only for its own kind of file."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from pathlib import Path

from edge_sdk.errors import UsageError

from .source_model import FitShape, SourceModel

__all__ = ["open_source"]


@contextlib.contextmanager
def open_source(
    paths: tuple[Path, ...], *, input_name: str = "", output_name: str | None = "", fit_input: FitShape
) -> Iterator[SourceModel]:
    """Open a trained model.

    Args:
        paths: One ``.keras``, SavedModel folder, ``.tflite`` or ``.onnx``; or two ``.keras`` files,
            a feature extractor and a head that takes its output.
        input_name: Which input, where the model has several.
        output_name: Which output, where a classifier has several; None for all of them.
        fit_input: Holds the model's input against the spec.

    Raises:
        UsageError: There is no such file, or it is of no known kind.
        ModelError: It cannot be loaded, or has several tensors and none was named.
    """
    for path in paths:
        if not path.exists():
            raise UsageError(f"there is no model {path}")
    first = paths[0]
    if len(paths) == 2 or first.suffix == ".keras":
        from .keras_source import open_keras

        opened = open_keras(paths, output_name, fit_input)
    elif first.is_dir():
        from .saved_model_source import open_saved_model

        opened = open_saved_model(first, input_name, output_name, fit_input)
    elif first.suffix in (".tflite", ".onnx"):
        from .ready_source import open_ready

        opened = open_ready(first, input_name, output_name, fit_input)
    else:
        raise UsageError(
            f"{first} is no model that can be converted",
            hint="give a .keras, .tflite or .onnx file, or a SavedModel folder",
        )
    with contextlib.closing(opened.backend), _left_out_of_collections():
        yield opened


@contextlib.contextmanager
def _left_out_of_collections() -> Iterator[None]:
    """Let the garbage collector pass over what there is.

    A framework brings hundreds of thousands of objects that stay, and converters collect garbage often.
    """
    if gc.get_freeze_count():
        yield  # somebody else has done so, and may want it to last
        return
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()

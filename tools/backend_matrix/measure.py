"""How far every variant of a model is from it: one row of the matrix."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from msgspec import Struct

from converters.preflight.preflight import Preflight
from converters.proof.kinds import fit_input
from converters.sources.open_source import open_source
from converters.sources.source_model import SourceModel
from converters.spec.conversion_spec import ConversionSpec
from converters.spec.spec_file import load_spec
from converters.variants.made import Materials
from converters.variants.output_error import relative_error
from converters.variants.recipes import RECIPES, Recipe, build_variant, planned_variants
from converters.variants.tflite_operations import read_operations
from edge_sdk.contract.audio import LogMel
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.manifest import BuildCheck, ClassesOutput, Precision
from edge_sdk.contract.values import Array
from edge_sdk.errors import BackendError, ConversionError, EdgeSdkError, UsageError
from edge_sdk.image.picture_file import read_picture
from edge_sdk.inference.backend import Backend
from edge_sdk.inference.image_feed import ImageFeed
from edge_sdk.inference.open import open_backend
from edge_sdk.signal.audio_file import read_mono
from edge_sdk.signal.log_mel import LogMelExtractor

from .cases import CASES, Prepared

__all__ = ["Cell", "Compared", "Row", "compare_with", "error_against", "measure", "measured_cell"]

_TRIED = 8
"""Calibration samples that a variant is tried on while it is made."""


class Cell(Struct, frozen=True, kw_only=True):
    """One variant of one model.

    Attributes:
        precision: Of the variant.
        reason: Why it is not there; empty where it is.
        failed: Whether that was no refusal of the conversion, but something that should not have been.
        error: Of its outputs to the float source's, by plain kernels: the worst output of the worst sample,
            by the root of squares, relative. Infinite where one is not finite, which the file has as null.
        fast_error: The same by the kernels that a device uses by default.
        bytes: Of the file.
        build: Of ONNX, what TensorRT-RTX's parser and builder say.
    """

    precision: Precision = "as_given"
    reason: str = ""
    failed: bool = False
    error: float | None = None
    fast_error: float | None = None
    bytes: int | None = None
    build: BuildCheck | None = None


class Row(Struct, frozen=True, kw_only=True):
    """One model.

    Attributes:
        cells: By variant.
        samples: How many were compared.
        calibration: How many measured the ranges.
        integers: Whether the source is quantized itself.
    """

    cells: dict[str, Cell]
    samples: int
    calibration: int = 0
    integers: bool = False


class Compared(NamedTuple):
    """A tensor, what the source answers to it, and its outputs' names in their order."""

    tensor: Array
    wanted: dict[str, Array]
    places: list[str]


def measure(name: str, prepared: Prepared, folder: Path) -> Row:
    """Make all variants of a model, and compare each with it.

    Args:
        name: Of the case.
        prepared: Its model.
        folder: For its variants.

    Raises:
        EdgeSdkError: The model cannot be opened, or does not answer with finite values.
    """
    case = CASES[name]
    spec = load_spec(prepared.spec)
    with open_source(
        prepared.models,
        input_name=spec.input.name,
        output_name=spec.classes.name if isinstance(spec.output, ClassesOutput) else None,
        fit_input=lambda model_input: fit_input(spec, model_input),
    ) as source:
        tensor_for = _feed(spec, source)
        calibration = [tensor_for(path) for path in prepared.calibration]
        compared = compare_with(source, [tensor_for(path) for path in prepared.compared])
        heads_in_float = not isinstance(spec.output, ClassesOutput)
        tried = calibration[:: max(1, len(calibration) // _TRIED)]
        materials = Materials(source, lambda: calibration, tried, heads_in_float=heads_in_float)
        recipes, left_out = planned_variants(source, (*RECIPES, "tflite", "onnx"))
        reasons = {variant: why.replace(source.name, "the source") for variant, why in left_out.items()}
        reasons |= case.passed_over
        cells = {variant: Cell(reason=why) for variant, why in reasons.items()}
        for recipe in (recipe for recipe in recipes if recipe.name not in case.passed_over):
            print(f"  {name}: {recipe.name}", flush=True)
            cells[recipe.name] = measured_cell(recipe, materials, compared, folder)
        integers = source.format == "tflite" and _has_integers(source.content or b"")
    return Row(
        cells=_with_builds(cells, folder),
        samples=len(compared),
        calibration=len(calibration),
        integers=integers,
    )


def _has_integers(tflite: bytes) -> bool:
    return not all(operation.is_float for operation in read_operations(tflite))


def _feed(spec: ConversionSpec, source: SourceModel) -> Callable[[Path], Array]:
    if isinstance(spec.input, ImageInput):
        feed = ImageFeed(spec.image, source.backend, {})
        return lambda path: feed.tensor_for(read_picture(path))
    audio = spec.audio
    if not isinstance(audio.front_end, LogMel):
        raise UsageError("the matrix has no model that takes a waveform")
    extract = LogMelExtractor(audio.front_end)

    def tensor_for(path: Path) -> Array:
        samples = read_mono(path, audio.sample_rate_hz)[: audio.window_samples]
        padded = np.pad(samples, (0, audio.window_samples - samples.size))
        return source.batch(extract(padded)).copy()

    return tensor_for


def measured_cell(recipe: Recipe, materials: Materials, compared: Sequence[Compared], folder: Path) -> Cell:
    """Make a variant, and hold it against what its source answers."""
    try:
        made = build_variant(recipe, materials)
        content = made.content
        (folder / f"{recipe.name}.{recipe.format}").write_bytes(content)
        with (
            open_backend(
                made.judged or content, recipe.format, reference_kernels=True, name=recipe.name
            ) as plain,
            open_backend(content, recipe.format, name=recipe.name) as fast,
        ):
            return Cell(
                precision=recipe.precision,
                error=error_against(compared, plain),
                fast_error=error_against(compared, fast),
                bytes=len(content),
            )
    except EdgeSdkError as error:
        is_refusal = isinstance(error, ConversionError)
        return Cell(precision=recipe.precision, reason=str(error), failed=not is_refusal)


def _with_builds(cells: dict[str, Cell], folder: Path) -> dict[str, Cell]:
    """The same, with what TensorRT-RTX says of each ONNX.

    Raises:
        BackendError: It does not load.
    """
    with Preflight() as preflight:
        for name in cells:
            if (model := folder / f"{name}.onnx").is_file():
                preflight.ask(name, model.read_bytes())
        builds, failure = preflight.results()
    if failure:
        raise BackendError(f"TensorRT-RTX cannot be asked: {failure}", hint="it is the extra tensorrt-rtx")
    return {name: msgspec.structs.replace(cell, build=builds.get(name)) for name, cell in cells.items()}


def compare_with(source: SourceModel, tensors: Iterable[Array]) -> list[Compared]:
    """Tensors with what a model answers to them.

    Raises:
        BackendError: An answer is not finite: nothing can be held against that.
    """
    compared = []
    for tensor in tensors:
        answers = source.backend.infer({source.input.name: tensor})
        wanted = {spec.name: answers[spec.name].copy() for spec in source.outputs}
        for name, value in wanted.items():
            if not np.isfinite(value).all():
                raise BackendError(f"{source.name} answers with values that are not finite in '{name}'")
        places = [spec.name for spec in source.backend.outputs]
        compared.append(Compared(tensor, wanted, places))
    return compared


def error_against(compared: Iterable[Compared], backend: Backend) -> float:
    """That of the worst output of the worst sample; infinite where one is not finite."""
    worst = 0.0
    for tensor, wanted, places in compared:
        given = backend.infer({backend.inputs[0].name: tensor})
        by_place = dict(zip(places, given.values(), strict=True))
        for name, value in wanted.items():
            worst = max(worst, relative_error(value, given.get(name, by_place[name])))
    return worst

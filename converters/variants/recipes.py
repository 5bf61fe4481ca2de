"""The forms a model can be given to a device in, and the recipe for each."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from edge_sdk.contract.manifest import ModelFormat, Precision
from edge_sdk.contract.nearest_name import nearest_hint
from edge_sdk.errors import ConversionError, UsageError

from ..sources.source_model import SourceModel
from .made import Made, Materials

__all__ = ["DEFAULT_VARIANTS", "RECIPES", "Recipe", "build_variant", "parse_variants", "planned_variants"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one variant is made.

    Attributes:
        name: As it is asked for and stored.
        format: Which engine will run it.
        precision: Of its weights and arithmetic.
        needs_calibration: Whether it measures the range of activations on real recordings.
        build: Makes it; None for a model that is taken as it is.
    """

    name: str
    format: ModelFormat
    precision: Precision
    needs_calibration: bool
    build: Callable[[Materials], Made] | None


def _tflite_float32(materials: Materials) -> Made:
    return Made(materials.float_tflite)


def _tflite_float16(materials: Materials) -> Made:
    from .tflite_conversion import convert_float16

    return Made(convert_float16(materials.traced))


def _tflite_dynamic(materials: Materials) -> Made:
    from .tflite_conversion import convert_dynamic

    return Made(convert_dynamic(materials.traced))


def _tflite_int8(materials: Materials) -> Made:
    return Made(materials.quantizer.quantize())


def _tflite_mixed(materials: Materials) -> Made:
    from .mixed_precision import make_mixed

    return make_mixed(materials.quantizer, materials.progress)


def _tflite_int16x8(materials: Materials) -> Made:
    from .tflite_conversion import convert_int16x8
    from .tflite_operations import refuse_loops

    refuse_loops(materials.float_tflite)
    return Made(convert_int16x8(materials.traced, materials.required_calibration))


def _onnx_float32(materials: Materials) -> Made:
    return Made(materials.float_onnx)


def _onnx_float16(materials: Materials) -> Made:
    from .onnx_float16 import convert_float16

    half = convert_float16(materials.prepared_onnx, materials.samples)
    note = f"in float32 for their range: {', '.join(half.outliers)}" if half.outliers else ""
    return _noted(Made(half.content, note, judged=half.rounded), materials)


def _onnx_int8(materials: Materials) -> Made:
    if materials.modelopt_python is not None:
        from .modelopt_int8 import quantize_by_modelopt

        materials.progress.step("onnx-int8: NVIDIA's Model Optimizer is at work, which takes minutes")
        made = quantize_by_modelopt(
            materials.prepared_onnx,
            materials.required_calibration,
            materials.modelopt_python,
            heads_in_float=materials.heads_in_float,
        )
    else:
        made = _quantized_here(_with_float_layers(materials.onnx_quantizer.quantize()), materials)
    return _noted(made, materials)


def _with_float_layers(content: bytes) -> Made:
    """Tell which layers of an int8 model are in float."""
    from .onnx_operations import read_onnx_operations

    layers = [operation for operation in read_onnx_operations(content) if operation.is_layer]
    in_float = tuple(layer.short_name for layer in layers if layer.is_float)
    note = f"{len(in_float)} of {len(layers)} layers in float" if in_float else ""
    return Made(content, note, in_float)


def _onnx_mixed(materials: Materials) -> Made:
    from .layer_sensitivity import make_mixed_by_sensitivity

    made = make_mixed_by_sensitivity(materials.onnx_quantizer, materials.progress)
    return _noted(_quantized_here(made, materials), materials)


_WEIGHTS = "weights are float32 in the file, TensorRT quantizes them"
"""Else a file as large as the float model's looks as if something had gone wrong."""


def _quantized_here(made: Made, materials: Materials) -> Made:
    """With what is to be known about its weights, and about the ranges of its activations."""
    notes = [note for note in (made.note, _WEIGHTS, materials.onnx_quantizer.note) if note]
    return replace(made, note="; ".join(notes))


def _noted(made: Made, materials: Materials) -> Made:
    """With what is to be known about the float model that it was made from."""
    notes = [note for note in (materials.prepared_note, made.note) if note]
    return replace(made, note="; ".join(notes))


_ONNX_OF_TFLITE = Recipe("onnx", "onnx", "as_given", needs_calibration=False, build=_onnx_float32)

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe("tflite-float32", "tflite", "float32", needs_calibration=False, build=_tflite_float32),
        Recipe("tflite-float16", "tflite", "float16", needs_calibration=False, build=_tflite_float16),
        Recipe("tflite-dynamic", "tflite", "dynamic", needs_calibration=False, build=_tflite_dynamic),
        Recipe("tflite-int8", "tflite", "int8", needs_calibration=True, build=_tflite_int8),
        Recipe("tflite-mixed", "tflite", "mixed", needs_calibration=True, build=_tflite_mixed),
        Recipe("tflite-int16x8", "tflite", "int16x8", needs_calibration=True, build=_tflite_int16x8),
        Recipe("onnx-float32", "onnx", "float32", needs_calibration=False, build=_onnx_float32),
        Recipe("onnx-float16", "onnx", "float16", needs_calibration=False, build=_onnx_float16),
        Recipe("onnx-int8", "onnx", "int8", needs_calibration=True, build=_onnx_int8),
        Recipe("onnx-mixed", "onnx", "mixed", needs_calibration=True, build=_onnx_mixed),
    )
}
"""Every variant that can be made from a Keras model or a SavedModel."""

_ON_REQUEST = ("tflite-int16x8", "onnx-mixed")

DEFAULT_VARIANTS = tuple(name for name in RECIPES if name not in _ON_REQUEST)

_FROM_ONNX = ("onnx-float16", "onnx-int8", "onnx-mixed")
"""Those that are made from ONNX, whatever that was made from."""


def parse_variants(names: Iterable[str] | None) -> tuple[str, ...]:
    """The variants asked for, each once; None asks for the default ones.

    Raises:
        UsageError: One is not known.
    """
    if names is None:
        return DEFAULT_VARIANTS
    asked = tuple(dict.fromkeys(name.strip() for name in names if name.strip()))
    known = [*RECIPES, "tflite", "onnx"]
    for name in asked:
        if name not in known:
            raise UsageError(f"there is no variant '{name}'", hint=nearest_hint(name, known))
    if not asked:
        raise UsageError("no variant was asked for")
    return asked


def planned_variants(source: SourceModel, asked: tuple[str, ...]) -> tuple[list[Recipe], dict[str, str]]:
    """What can be tried from this source, and why the rest of what was asked for cannot."""
    if source.format is not None:
        return _planned_from_ready(source, source.format, asked)
    left_out = {name: f"{source.name} is no .{name} file" for name in asked if name not in RECIPES}
    return [RECIPES[name] for name in asked if name in RECIPES], left_out


def _planned_from_ready(
    source: SourceModel, given: ModelFormat, asked: tuple[str, ...]
) -> tuple[list[Recipe], dict[str, str]]:
    """A file as it is comes first, and from ONNX comes ONNX; of everything else it is said why not."""
    recipes = [Recipe(given, given, "as_given", needs_calibration=False, build=None)]
    made: set[str] = {given}
    if given == "tflite" and {"onnx", "onnx-float32"} & set(asked):
        recipes.append(_ONNX_OF_TFLITE)
        made |= {"onnx", "onnx-float32"}
    further = [name for name in _FROM_ONNX if name in asked]
    recipes += [RECIPES[name] for name in further]
    left = (name for name in asked if name not in made and name not in further)
    return recipes, {name: _why_not(source, given, name) for name in left}


def _why_not(source: SourceModel, given: ModelFormat, name: str) -> str:
    if name.partition("-")[0] == given == "onnx":
        return f"{source.name} is ONNX already, and taken as it is: see {given}"
    return f"{source.name} is taken as it is; TFLite is made from a Keras model or SavedModel alone"


def build_variant(recipe: Recipe, materials: Materials) -> Made:
    """Make one variant.

    Raises:
        ConversionError: The converter refuses the model; says why.
        BackendError: It was tried while it was made, and does not run.
    """
    if recipe.build is not None:
        made = recipe.build(materials)
        gc.collect()  # converters leave copies of the model in cycles
        return made
    if materials.source.content is None:
        raise ConversionError(f"{materials.source.name} is no file that could be taken as it is")
    return Made(materials.source.content)

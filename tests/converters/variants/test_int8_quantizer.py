"""An integer model is made from the float one, and says of itself what it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converters.quiet import import_tensorflow, quiet_libraries
from converters.sources.open_source import open_source
from converters.variants.made import Materials
from converters.variants.recipes import RECIPES, build_variant
from converters.variants.tflite_packing import unpack_model
from edge_sdk.contract.values import Float32Array, TensorSpec
from edge_sdk.errors import ConversionError

STEPS, WIDTH = 5, 4


def batch_of_1(spec: TensorSpec) -> tuple[int, ...]:
    return tuple(extent or 1 for extent in spec.shape)


def calibration() -> Iterator[Float32Array]:
    yield from np.random.default_rng(1).normal(size=(4, 1, STEPS, WIDTH)).astype(np.float32)


def made(folder: Path, variant: str, **recurrent: bool) -> bytes:
    import_tensorflow()
    import keras

    keras.utils.set_random_seed(2)
    path = folder / "recurrent.keras"
    layers = [keras.Input((STEPS, WIDTH), name="x"), keras.layers.LSTM(6, **recurrent), keras.layers.Dense(2)]
    with quiet_libraries():
        keras.Sequential(layers).save(path)
    with open_source((path,), fit_input=batch_of_1) as source:
        return build_variant(RECIPES[variant], Materials(source, calibration)).content


@pytest.mark.parametrize("variant", ["tflite-int8", "tflite-int16x8"])
def test_loops_are_refused_before_the_calibrator_crashes_on_them(tmp_path: Path, variant: str) -> None:
    with pytest.raises(ConversionError, match="unroll=True"):
        made(tmp_path, variant)


def test_an_unrolled_recurrent_layer_becomes_int8_and_says_so(tmp_path: Path) -> None:
    from tensorflow.lite.python import conversion_metadata_schema_py_generated as schema

    model: Any = unpack_model(made(tmp_path, "tflite-int8", unroll=True))
    (place,) = (entry.buffer for entry in model.metadata if entry.name == b"CONVERSION_METADATA")
    noted = schema.ConversionMetadataT.InitFromPackedBuf(model.buffers[place].data.tobytes(), 0)
    assert list(noted.options.modelOptimizationModes) == [schema.ModelOptimizationMode.PTQ_FULL_INTEGER]
    graph = model.subgraphs[0]
    assert graph.tensors[graph.inputs[0]].name == b"x"
    assert graph.tensors[graph.outputs[0]].name == b"scores"

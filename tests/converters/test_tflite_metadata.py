"""Metadata as MediaPipe and Android read it, by Google's own generated schema."""

from __future__ import annotations

import importlib
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as tflite_schema
from labelled_sounds import FRONT_END, spec_text
from tiny_models import tiny_tflite

from converters.spec import ConversionSpec, load_spec
from converters.tflite_metadata import METADATA_NAME, add_metadata
from edge_sdk.contract.values import Float32Array
from edge_sdk.inference.open import open_backend

FEATURES = (98, 24)

# Generated code without types.
metadata_schema: Any = importlib.import_module("converters.tflite_schema.metadata_schema_py_generated")


@pytest.fixture
def spec(tmp_path: Path) -> ConversionSpec:
    (tmp_path / "spec.toml").write_text(spec_text(activation="none"))
    return load_spec(tmp_path / "spec.toml")


@pytest.fixture
def plain() -> bytes:
    random = np.random.default_rng(0)
    weights = random.normal(size=(2, 98 * 24)).astype(np.float32)
    return tiny_tflite(weights, np.zeros(2, dtype=np.float32), (1, *FEATURES))


def read_back(content: bytes) -> Any:
    """The metadata of a model, found as any reader finds it."""
    model = tflite_schema.Model.GetRootAs(content, 0)
    for index in range(model.MetadataLength()):
        entry = model.Metadata(index)
        if entry.Name().decode() == METADATA_NAME:
            packed = model.Buffers(entry.Buffer()).DataAsNumpy().tobytes()
            assert packed[4:8] == b"M001"
            return metadata_schema.ModelMetadata.GetRootAs(packed, 0)
    raise AssertionError("no metadata")


def test_labels_can_be_read_back_by_the_metadatas_own_schema(plain: bytes, spec: ConversionSpec) -> None:
    content = add_metadata(plain, spec, "mel")
    output = read_back(content).SubgraphMetadata(0).OutputTensorMetadata(0)
    files = [output.AssociatedFiles(index) for index in range(output.AssociatedFilesLength())]
    assert {file.Type() for file in files} == {metadata_schema.AssociatedFileType.TENSOR_AXIS_LABELS}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        lines = {file.Name().decode(): archive.read(file.Name().decode()).decode() for file in files}
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
    assert lines == {"labels.txt": "saw\nshot\n", "labels_en.txt": "Saw\nGun shot\n"}
    assert [file.Locale() for file in files] == [None, b"en"]


def test_normalisation_of_features_can_be_read_back(plain: bytes, spec: ConversionSpec) -> None:
    tensor = read_back(add_metadata(plain, spec, "mel")).SubgraphMetadata(0).InputTensorMetadata(0)
    unit = tensor.ProcessUnits(0)
    assert unit.OptionsType() == metadata_schema.ProcessUnitOptions.NormalizationOptions
    options = metadata_schema.NormalizationOptions()
    options.Init(unit.Options().Bytes, unit.Options().Pos)
    assert (options.Mean(0), options.Std(0)) == (FRONT_END.mean, FRONT_END.std)


def test_the_rate_of_a_waveform_can_be_read_back(tmp_path: Path) -> None:
    (tmp_path / "wave.toml").write_text(spec_text(activation="none", log_mel=False))
    weights = np.zeros((2, 8000), dtype=np.float32)
    plain = tiny_tflite(weights, np.zeros(2, dtype=np.float32), (1, 8000))
    metadata = read_back(add_metadata(plain, load_spec(tmp_path / "wave.toml"), "waveform"))
    content = metadata.SubgraphMetadata(0).InputTensorMetadata(0).Content()
    assert content.ContentPropertiesType() == metadata_schema.ContentProperties.AudioProperties
    audio = metadata_schema.AudioProperties()
    audio.Init(content.ContentProperties().Bytes, content.ContentProperties().Pos)
    assert (audio.SampleRate(), audio.Channels()) == (8000, 1)


@pytest.mark.parametrize("reference", [True, False])
def test_outputs_stay_bit_identical(plain: bytes, spec: ConversionSpec, reference: bool) -> None:  # noqa: FBT001
    described = add_metadata(plain, spec, "mel")
    tensor = np.random.default_rng(1).normal(size=(1, *FEATURES)).astype(np.float32)
    assert run(described, tensor, reference).tobytes() == run(plain, tensor, reference).tobytes()


def test_tensors_get_plain_names(plain: bytes, spec: ConversionSpec) -> None:
    with open_backend(add_metadata(plain, spec, "mel"), "tflite") as backend:
        assert (backend.inputs[0].name, backend.outputs[0].name) == ("mel", "scores")


def test_the_same_model_gives_the_same_bytes(plain: bytes, spec: ConversionSpec) -> None:
    assert add_metadata(plain, spec, "mel") == add_metadata(plain, spec, "mel")


def run(content: bytes, tensor: Float32Array, reference: bool) -> Any:  # noqa: FBT001
    with open_backend(content, "tflite", reference_kernels=reference) as backend:
        return backend.infer({backend.inputs[0].name: tensor})[backend.outputs[0].name].copy()

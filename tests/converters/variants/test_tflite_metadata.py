"""Metadata as MediaPipe and Android read it, by Google's own generated schema."""

from __future__ import annotations

import importlib.util
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as tflite_schema
from labelled_sounds import FRONT_END, spec_text
from picture_specs import color_spec
from tiny_models import tiny_tflite
from tiny_pictures import color_model

from converters.spec.conversion_spec import ConversionSpec
from converters.spec.spec_file import load_spec
from converters.variants.tflite_metadata import METADATA_NAME, add_metadata
from edge_sdk.contract.values import Float32Array
from edge_sdk.demo.wheels import WheelFile, cache_folder, fetch
from edge_sdk.errors import InputError
from edge_sdk.inference.open import open_backend

FEATURES = (98, 24)

# What flatc makes of metadata_schema.fbs, as Google ships it.
GENERATED_READER = WheelFile(
    "mediapipe==1.2.2",
    "mediapipe/tasks/metadata/metadata_schema_py_generated.py",
    "2c955700827b987555939cc645b834994185765a2a4ecebd0fdf6ad1f573f668",
    "The MediaPipe Authors, Apache-2.0",
)


@pytest.fixture(scope="module")
def metadata_schema() -> Any:
    """The metadata's own schema, out of its wheel; MediaPipe itself is not installed."""
    try:
        path = fetch(GENERATED_READER, cache_folder())
    except InputError as error:
        pytest.skip(f"the wheel that holds the schema cannot be had: {error.message}")
    described = importlib.util.spec_from_file_location("metadata_schema_py_generated", path)
    assert described is not None
    assert described.loader is not None
    module = importlib.util.module_from_spec(described)
    described.loader.exec_module(module)
    return module


@pytest.fixture
def spec(tmp_path: Path) -> ConversionSpec:
    (tmp_path / "spec.toml").write_text(spec_text(activation="none"))
    return load_spec(tmp_path / "spec.toml")


@pytest.fixture
def plain() -> bytes:
    random = np.random.default_rng(0)
    weights = random.normal(size=(2, 98 * 24)).astype(np.float32)
    return tiny_tflite(weights, np.zeros(2, dtype=np.float32), (1, *FEATURES))


def packed_metadata(content: bytes) -> bytes:
    """The metadata of a model, found as any reader finds it."""
    model = tflite_schema.Model.GetRootAs(content, 0)
    for index in range(model.MetadataLength()):
        entry = model.Metadata(index)
        if entry.Name().decode() == METADATA_NAME:
            return bytes(model.Buffers(entry.Buffer()).DataAsNumpy().tobytes())
    raise AssertionError("no metadata")


def read_back(content: bytes, metadata_schema: Any) -> Any:
    packed = packed_metadata(content)
    assert metadata_schema.ModelMetadata.ModelMetadataBufferHasIdentifier(packed, 0)
    return metadata_schema.ModelMetadata.GetRootAs(packed, 0)


def label_lines(content: bytes) -> dict[str, str]:
    """The label files behind a model; readers map them, so they must lie there uncompressed."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_label_files_can_be_read_with_any_zip_reader(plain: bytes, spec: ConversionSpec) -> None:
    lines = label_lines(add_metadata(plain, spec, "mel"))
    assert lines == {"labels.txt": "saw\nshot\n", "labels_en.txt": "Saw\nGun shot\n"}


def test_metadata_is_marked_as_such(plain: bytes, spec: ConversionSpec) -> None:
    assert packed_metadata(add_metadata(plain, spec, "mel"))[4:8] == b"M001"


def test_name_and_version_can_be_read_back(plain: bytes, spec: ConversionSpec, metadata_schema: Any) -> None:
    metadata = read_back(add_metadata(plain, spec, "mel"), metadata_schema)
    assert metadata.Name().decode() == spec.name
    assert metadata.Version().decode() == spec.version
    assert metadata.Description().decode() == spec.description
    assert metadata.MinParserVersion() == b"1.3.0"
    assert (metadata.Author(), metadata.License(), metadata.AssociatedFilesLength()) == (None, None, 0)


def test_labels_can_be_read_back_by_the_metadatas_own_schema(
    plain: bytes, spec: ConversionSpec, metadata_schema: Any
) -> None:
    content = add_metadata(plain, spec, "mel")
    output = read_back(content, metadata_schema).SubgraphMetadata(0).OutputTensorMetadata(0)
    files = [output.AssociatedFiles(index) for index in range(output.AssociatedFilesLength())]
    assert {file.Type() for file in files} == {metadata_schema.AssociatedFileType.TENSOR_AXIS_LABELS}
    lines = label_lines(content)
    named = {file.Locale(): lines[file.Name().decode()].splitlines() for file in files}
    assert named == {None: ["saw", "shot"], b"en": ["Saw", "Gun shot"]}


def test_normalisation_of_features_can_be_read_back(
    plain: bytes, spec: ConversionSpec, metadata_schema: Any
) -> None:
    metadata = read_back(add_metadata(plain, spec, "mel"), metadata_schema)
    tensor = metadata.SubgraphMetadata(0).InputTensorMetadata(0)
    assert tensor.Name() == b"mel"
    unit = tensor.ProcessUnits(0)
    assert unit.OptionsType() == metadata_schema.ProcessUnitOptions.NormalizationOptions
    options = metadata_schema.NormalizationOptions()
    options.Init(unit.Options().Bytes, unit.Options().Pos)
    assert (options.Mean(0), options.Std(0)) == (FRONT_END.mean, FRONT_END.std)


def test_the_rate_of_a_waveform_can_be_read_back(tmp_path: Path, metadata_schema: Any) -> None:
    (tmp_path / "wave.toml").write_text(spec_text(activation="none", log_mel=False))
    weights = np.zeros((2, 8000), dtype=np.float32)
    plain = tiny_tflite(weights, np.zeros(2, dtype=np.float32), (1, 8000))
    content = add_metadata(plain, load_spec(tmp_path / "wave.toml"), "waveform")
    metadata = read_back(content, metadata_schema)
    described = metadata.SubgraphMetadata(0).InputTensorMetadata(0).Content()
    assert described.ContentPropertiesType() == metadata_schema.ContentProperties.AudioProperties
    audio = metadata_schema.AudioProperties()
    audio.Init(described.ContentProperties().Bytes, described.ContentProperties().Pos)
    assert (audio.SampleRate(), audio.Channels()) == (8000, 1)


@pytest.mark.parametrize(
    ("image", "is_picture"),
    [('preprocessing = "torch"', True), ('preprocessing = "caffe"', False)],
    ids=["rgb", "bgr, which MediaPipe would take for rgb"],
)
def test_scaling_and_colors_of_pictures_can_be_read_back(
    tmp_path: Path, metadata_schema: Any, *, image: str, is_picture: bool
) -> None:
    spec = load_spec(color_spec(tmp_path, image=image))
    content = add_metadata(color_model("tflite"), spec, "picture")
    tensor = read_back(content, metadata_schema).SubgraphMetadata(0).InputTensorMetadata(0)
    kinds = metadata_schema.ContentProperties
    wanted = kinds.ImageProperties if is_picture else kinds.FeatureProperties
    assert tensor.Content().ContentPropertiesType() == wanted
    if is_picture:
        properties = metadata_schema.ImageProperties()
        properties.Init(tensor.Content().ContentProperties().Bytes, tensor.Content().ContentProperties().Pos)
        assert properties.ColorSpace() == metadata_schema.ColorSpaceType.RGB
    unit = tensor.ProcessUnits(0)
    options = metadata_schema.NormalizationOptions()
    options.Init(unit.Options().Bytes, unit.Options().Pos)
    assert options.MeanAsNumpy().tolist() == pytest.approx(spec.image.mean)
    assert options.StdAsNumpy().tolist() == pytest.approx(spec.image.std)


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

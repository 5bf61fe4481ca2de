"""Standard TFLite metadata: labels, rate and normalisation inside the ``.tflite`` itself.

With it, MediaPipe Tasks and Android's ML Model Binding can use the file as it is. The metadata is a
flatbuffer of its own (``M001``) in a buffer named ``TFLITE_METADATA``; label files are an
uncompressed zip behind the model. Weights and graph stay as they were; tensors get plain names.
"""

from __future__ import annotations

import importlib
import io
import zipfile
from typing import Any

import numpy as np

from edge_sdk.contract.audio import FrontEnd, LogMel
from edge_sdk.errors import MissingExtraError

from .spec import ConversionSpec

__all__ = ["METADATA_NAME", "add_metadata"]

METADATA_NAME = "TFLITE_METADATA"
LABEL_IDS_FILE = "labels.txt"
LABEL_NAMES_FILE = "labels_en.txt"

_MODEL_IDENTIFIER = b"TFL3"
_METADATA_IDENTIFIER = b"M001"
_OLDEST_PARSER = "1.3.0"  # the first that knows audio properties
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # no clock in the bytes


def add_metadata(content: bytes, spec: ConversionSpec, input_name: str) -> bytes:
    """Give a model with one input and one output its metadata.

    Args:
        content: The ``.tflite``.
        spec: Labels, rate and front end.
        input_name: What to call its input; the output is called ``scores``.

    Returns:
        The new file; the same arguments give the same bytes.
    """
    builder_of, schema = _libraries()
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]
    graph.tensors[graph.inputs[0]].name = input_name.encode()
    graph.tensors[graph.outputs[0]].name = b"scores"
    _attach(model, schema, _pack(builder_of, _model_metadata(spec, input_name), _METADATA_IDENTIFIER))
    return _with_label_files(_pack(builder_of, model, _MODEL_IDENTIFIER), spec)


def _attach(model: Any, schema: Any, packed: bytes) -> None:
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(packed, dtype=np.uint8)
    entry = schema.MetadataT()
    entry.name = METADATA_NAME.encode()
    entry.buffer = len(model.buffers)
    model.buffers = [*model.buffers, buffer]
    model.metadata = [*(model.metadata or []), entry]


def _model_metadata(spec: ConversionSpec, input_name: str) -> Any:
    tables = _metadata_tables()
    graph = tables.SubGraphMetadataT()
    graph.inputTensorMetadata = [_input_metadata(tables, spec, input_name)]
    graph.outputTensorMetadata = [_output_metadata(tables, spec)]
    metadata = tables.ModelMetadataT()
    metadata.name = spec.name
    metadata.description = spec.description
    metadata.version = spec.version
    metadata.minParserVersion = _OLDEST_PARSER
    metadata.subgraphMetadata = [graph]
    return metadata


def _input_metadata(tables: Any, spec: ConversionSpec, name: str) -> Any:
    front_end = spec.audio.front_end
    tensor = tables.TensorMetadataT()
    tensor.name = name
    tensor.description = _describe_input(spec)
    tensor.content = tables.ContentT()
    if isinstance(front_end, LogMel):
        tensor.content.contentPropertiesType = tables.ContentProperties.FeatureProperties
        tensor.content.contentProperties = tables.FeaturePropertiesT()
        normalization = tables.NormalizationOptionsT()
        normalization.mean, normalization.std = [front_end.mean], [front_end.std]
        unit = tables.ProcessUnitT()
        unit.optionsType = tables.ProcessUnitOptions.NormalizationOptions
        unit.options = normalization
        tensor.processUnits = [unit]
    else:
        tensor.content.contentPropertiesType = tables.ContentProperties.AudioProperties
        tensor.content.contentProperties = tables.AudioPropertiesT()
        tensor.content.contentProperties.sampleRate = front_end.sample_rate_hz
        tensor.content.contentProperties.channels = 1
    return tensor


def _describe_input(spec: ConversionSpec) -> str:
    front_end: FrontEnd = spec.audio.front_end
    sound = f"{spec.audio.window_samples} samples of mono sound at {spec.audio.sample_rate_hz} Hz"
    if not isinstance(front_end, LogMel):
        return f"{sound}, full scale 1.0"
    parameters = f"n_fft {front_end.n_fft}, hop {front_end.hop}, {front_end.n_mels} mels"
    return f"Log-mel spectrogram of {sound}: {parameters}"


def _output_metadata(tables: Any, spec: ConversionSpec) -> Any:
    tensor = tables.TensorMetadataT()
    tensor.name = "scores"
    tensor.description = f"One score a label; still to be applied: {spec.output.activation}"
    tensor.content = tables.ContentT()
    tensor.content.contentPropertiesType = tables.ContentProperties.FeatureProperties
    tensor.content.contentProperties = tables.FeaturePropertiesT()
    tensor.associatedFiles = [
        _label_file(tables, LABEL_IDS_FILE, "Label ids, in the order of the scores", locale=None),
        _label_file(tables, LABEL_NAMES_FILE, "Display names, in the order of the scores", locale="en"),
    ]
    return tensor


def _label_file(tables: Any, name: str, description: str, *, locale: str | None) -> Any:
    file = tables.AssociatedFileT()
    file.name = name
    file.description = description
    file.type = tables.AssociatedFileType.TENSOR_AXIS_LABELS
    file.locale = locale
    return file


def _with_label_files(content: bytes, spec: ConversionSpec) -> bytes:
    whole = io.BytesIO(content)
    files = {
        LABEL_IDS_FILE: [label.id for label in spec.labels],
        LABEL_NAMES_FILE: [label.name for label in spec.labels],
    }
    with zipfile.ZipFile(whole, "a", zipfile.ZIP_STORED) as archive:
        for name, lines in files.items():
            info = zipfile.ZipInfo(name, date_time=_ZIP_EPOCH)
            info.create_system = 3  # Unix on every platform: the byte is part of the file
            archive.writestr(info, "".join(f"{line}\n" for line in lines))
    return whole.getvalue()


def _pack(builder_of: Any, table: Any, identifier: bytes) -> bytes:
    builder = builder_of(1024)
    builder.Finish(table.Pack(builder), identifier)
    return bytes(builder.Output())


def _libraries() -> tuple[Any, Any]:
    try:
        import flatbuffers
        from ai_edge_litert import schema_py_generated
    except ImportError as error:
        raise MissingExtraError(error.name or "flatbuffers", "convert") from error
    return flatbuffers.Builder, schema_py_generated


def _metadata_tables() -> Any:
    return importlib.import_module(".tflite_schema.metadata_schema_py_generated", __package__)

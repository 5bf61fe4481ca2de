"""Standard TFLite metadata: labels, rate and normalisation inside the ``.tflite`` itself.

With it, MediaPipe Tasks and Android's ML Model Binding can use the file as it is. The metadata is a
flatbuffer of its own in a buffer named ``TFLITE_METADATA``; label files are an uncompressed zip
behind the model. Weights and graph stay as they were; tensors get plain names.
"""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np

from edge_sdk.contract.audio import FrontEnd, LogMel
from edge_sdk.errors import MissingExtraError

from ..spec.spec_file import ConversionSpec
from .tflite_metadata_flatbuffer import (
    LabelFile,
    ModelDescription,
    TensorDescription,
    pack_metadata,
)

__all__ = ["METADATA_NAME", "add_metadata"]

METADATA_NAME = "TFLITE_METADATA"
LABEL_IDS_FILE = "labels.txt"
LABEL_NAMES_FILE = "labels_en.txt"

_MODEL_IDENTIFIER = b"TFL3"
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
    _attach(model, schema, pack_metadata(_describe(spec, input_name)))
    builder = builder_of(1024)
    builder.Finish(model.Pack(builder), _MODEL_IDENTIFIER)
    return _with_label_files(bytes(builder.Output()), spec)


def _attach(model: Any, schema: Any, packed: bytes) -> None:
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(packed, dtype=np.uint8)
    entry = schema.MetadataT()
    entry.name = METADATA_NAME.encode()
    entry.buffer = len(model.buffers)
    model.buffers = [*model.buffers, buffer]
    model.metadata = [*(model.metadata or []), entry]


def _describe(spec: ConversionSpec, input_name: str) -> ModelDescription:
    front_end = spec.audio.front_end
    taken = TensorDescription(
        input_name,
        _describe_input(spec),
        sample_rate_hz=None if isinstance(front_end, LogMel) else front_end.sample_rate_hz,
        normalization=(front_end.mean, front_end.std) if isinstance(front_end, LogMel) else None,
    )
    given = TensorDescription(
        "scores",
        f"One score a label; still to be applied: {spec.classes.activation}",
        labels=(
            LabelFile(LABEL_IDS_FILE, "Label ids, in the order of the scores"),
            LabelFile(LABEL_NAMES_FILE, "Display names, in the order of the scores", locale="en"),
        ),
    )
    return ModelDescription(spec.name, spec.description, spec.version, taken, given)


def _describe_input(spec: ConversionSpec) -> str:
    front_end: FrontEnd = spec.audio.front_end
    sound = f"{spec.audio.window_samples} samples of mono sound at {spec.audio.sample_rate_hz} Hz"
    if not isinstance(front_end, LogMel):
        return f"{sound}, full scale 1.0"
    parameters = f"n_fft {front_end.n_fft}, hop {front_end.hop}, {front_end.n_mels} mels"
    return f"Log-mel spectrogram of {sound}: {parameters}"


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


def _libraries() -> tuple[Any, Any]:
    try:
        import flatbuffers
        from ai_edge_litert import schema_py_generated
    except ImportError as error:
        raise MissingExtraError(error.name or "flatbuffers", "convert") from error
    return flatbuffers.Builder, schema_py_generated

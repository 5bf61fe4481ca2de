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
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.manifest import AudioInput, ClassesOutput

from ..spec.conversion_spec import ConversionSpec
from .tflite_metadata_flatbuffer import (
    ColorSpace,
    LabelFile,
    ModelDescription,
    TensorDescription,
    pack_metadata,
)
from .tflite_packing import pack_model, tflite_schema, unpack_model

__all__ = ["METADATA_NAME", "add_metadata"]

METADATA_NAME = "TFLITE_METADATA"
LABEL_IDS_FILE = "labels.txt"
LABEL_NAMES_FILE = "labels_en.txt"

_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # no clock in the bytes


def add_metadata(content: bytes, spec: ConversionSpec, input_name: str) -> bytes:
    """Give a classifier its metadata; a detector stays as it is, for MediaPipe has no words for its outputs.

    Args:
        content: The ``.tflite``.
        spec: Labels, input and its preparation.
        input_name: What to call its input; the output is called ``scores``.

    Returns:
        The new file; the same arguments give the same bytes.
    """
    if not isinstance(spec.output, ClassesOutput):
        return content
    model = unpack_model(content)
    graph = model.subgraphs[0]
    graph.tensors[graph.inputs[0]].name = input_name.encode()
    graph.tensors[graph.outputs[0]].name = b"scores"
    _attach(model, pack_metadata(_describe(spec, input_name)))
    return _with_label_files(pack_model(model, len(content)), spec)


def _attach(model: Any, packed: bytes) -> None:
    schema = tflite_schema()
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(packed, dtype=np.uint8)
    entry = schema.MetadataT()
    entry.name = METADATA_NAME.encode()
    entry.buffer = len(model.buffers)
    model.buffers = [*model.buffers, buffer]
    model.metadata = [*(model.metadata or []), entry]


def _describe(spec: ConversionSpec, input_name: str) -> ModelDescription:
    taken = (
        _sound(spec.audio, input_name)
        if isinstance(spec.input, AudioInput)
        else _picture(spec.image, input_name)
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


def _sound(audio: AudioInput, name: str) -> TensorDescription:
    front_end = audio.front_end
    is_mel = isinstance(front_end, LogMel)
    return TensorDescription(
        name,
        _describe_sound(audio),
        sample_rate_hz=None if is_mel else front_end.sample_rate_hz,
        normalization=((front_end.mean,), (front_end.std,)) if isinstance(front_end, LogMel) else None,
    )


def _picture(image: ImageInput, name: str) -> TensorDescription:
    """A picture in MediaPipe's sense where the model is fed one; other orders would be read as RGB."""
    order = {"rgb": "red, green, blue", "bgr": "blue, green, red", "gray": "grey"}[image.color]
    description = (
        f"Picture of {image.width}x{image.height}, {order}, {image.layout}, resized by {image.resize} and "
        f"{image.interpolation}; of 0..255, the mean is subtracted and the rest divided by std"
    )
    is_picture = image.layout == "nhwc" and image.color in ("rgb", "gray")
    color: ColorSpace | None = ("gray" if image.color == "gray" else "rgb") if is_picture else None
    return TensorDescription(name, description, color=color, normalization=(image.mean, image.std))


def _describe_sound(audio: AudioInput) -> str:
    front_end: FrontEnd = audio.front_end
    sound = f"{audio.window_samples} samples of mono sound at {audio.sample_rate_hz} Hz"
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

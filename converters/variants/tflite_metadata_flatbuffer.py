"""TFLite's model metadata as a flatbuffer, written from its public schema.

The schema is ``metadata_schema.fbs`` (file identifier ``M001``) in TensorFlow Lite Support and in
MediaPipe (``mediapipe/tasks/metadata/``). A table's fields are numbered in the order in which the
schema declares them; a union takes two slots, its kind and its value. Tables that stand here list
all their slots, whether or not we write them, because a reader may ask for any.

Flatbuffers are written from the inside out: strings and inner tables first, then the table that
points at them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Literal, TypeAlias

from edge_sdk.errors import MissingExtraError

__all__ = ["ColorSpace", "LabelFile", "ModelDescription", "TensorDescription", "pack_metadata"]

_IDENTIFIER = b"M001"
_OLDEST_PARSER = "1.3.0"  # the first that knows audio properties
_TENSOR_AXIS_LABELS = 2  # AssociatedFileType
_FEATURE_PROPERTIES, _IMAGE_PROPERTIES, _AUDIO_PROPERTIES = 1, 2, 4  # ContentProperties
_NORMALIZATION_OPTIONS = 1  # ProcessUnitOptions

ColorSpace: TypeAlias = Literal["rgb", "gray"]
_COLOR_SPACES: Mapping[ColorSpace, int] = {"rgb": 1, "gray": 2}  # ColorSpaceType


class _Model(IntEnum):
    NAME, DESCRIPTION, VERSION, SUBGRAPHS, AUTHOR, LICENSE, FILES, MIN_PARSER_VERSION = range(8)


class _SubGraph(IntEnum):
    NAME, DESCRIPTION, INPUTS, OUTPUTS, FILES = range(5)
    INPUT_UNITS, OUTPUT_UNITS, INPUT_GROUPS, OUTPUT_GROUPS, CUSTOM = range(5, 10)


class _Tensor(IntEnum):
    NAME, DESCRIPTION, DIMENSION_NAMES, CONTENT, PROCESS_UNITS, STATS, FILES = range(7)


class _Content(IntEnum):
    PROPERTIES_KIND, PROPERTIES, RANGE = range(3)


class _Audio(IntEnum):
    SAMPLE_RATE, CHANNELS = range(2)


class _Image(IntEnum):
    COLOR_SPACE, DEFAULT_SIZE = range(2)


class _ProcessUnit(IntEnum):
    OPTIONS_KIND, OPTIONS = range(2)


class _Normalization(IntEnum):
    MEAN, STD = range(2)


class _File(IntEnum):
    NAME, DESCRIPTION, TYPE, LOCALE, VERSION = range(5)


@dataclass(frozen=True, slots=True)
class LabelFile:
    """A file behind the model with one line for each entry of a tensor's last axis.

    Attributes:
        name: In the zip.
        description: For people.
        locale: Language of the lines, as ``en``; None for ids.
    """

    name: str
    description: str
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class TensorDescription:
    """One input or output.

    Attributes:
        name: Of the tensor.
        description: For people.
        sample_rate_hz: Of the mono sound it takes; None for others.
        color: Of the picture it takes; None for others.
        normalization: Mean and standard deviation that are taken out of it, one or one a channel.
        labels: Files that name its entries.
    """

    name: str
    description: str
    sample_rate_hz: int | None = None
    color: ColorSpace | None = None
    normalization: tuple[Sequence[float], Sequence[float]] | None = None
    labels: tuple[LabelFile, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """A model of one graph with one input and one output."""

    name: str
    description: str
    version: str
    input: TensorDescription
    output: TensorDescription


def pack_metadata(model: ModelDescription) -> bytes:
    """The bytes of the buffer ``TFLITE_METADATA``; the same description gives the same bytes.

    Raises:
        MissingExtraError: flatbuffers is not installed.
    """
    try:
        import flatbuffers
    except ImportError as error:
        raise MissingExtraError("flatbuffers", "convert") from error
    writer = _Writer(flatbuffers.Builder(1024))
    writer.builder.Finish(writer.model(model), _IDENTIFIER)
    return bytes(writer.builder.Output())


class _Writer:
    """Writes tables into one builder; each method returns where its table begins."""

    def __init__(self, builder: Any) -> None:
        self.builder = builder

    def model(self, model: ModelDescription) -> int:
        inputs, outputs = (self._vector([self._tensor(item)]) for item in (model.input, model.output))
        graph = self._table(_SubGraph, {_SubGraph.INPUTS: inputs, _SubGraph.OUTPUTS: outputs})
        fields = {
            _Model.NAME: self._text(model.name),
            _Model.DESCRIPTION: self._text(model.description),
            _Model.VERSION: self._text(model.version),
            _Model.SUBGRAPHS: self._vector([graph]),
            _Model.MIN_PARSER_VERSION: self._text(_OLDEST_PARSER),
        }
        return self._table(_Model, fields)

    def _tensor(self, tensor: TensorDescription) -> int:
        fields = {
            _Tensor.NAME: self._text(tensor.name),
            _Tensor.DESCRIPTION: self._text(tensor.description),
            _Tensor.CONTENT: self._content(tensor),
        }
        if tensor.normalization is not None:
            fields[_Tensor.PROCESS_UNITS] = self._vector([self._normalization(*tensor.normalization)])
        if tensor.labels:
            fields[_Tensor.FILES] = self._vector([self._label_file(file) for file in tensor.labels])
        return self._table(_Tensor, fields)

    def _content(self, tensor: TensorDescription) -> int:
        if tensor.sample_rate_hz is not None:
            sound = {_Audio.SAMPLE_RATE: tensor.sample_rate_hz, _Audio.CHANNELS: 1}
            kind, properties = _AUDIO_PROPERTIES, self._table(_Audio, {}, uint32=sound)
        elif tensor.color is not None:
            picture = {_Image.COLOR_SPACE: _COLOR_SPACES[tensor.color]}
            kind, properties = _IMAGE_PROPERTIES, self._table(_Image, {}, uint8=picture)
        else:
            kind, properties = _FEATURE_PROPERTIES, self._table((), {})
        fields = {_Content.PROPERTIES: properties}
        return self._table(_Content, fields, uint8={_Content.PROPERTIES_KIND: kind})

    def _normalization(self, mean: Sequence[float], std: Sequence[float]) -> int:
        values = {_Normalization.MEAN: self._floats(mean), _Normalization.STD: self._floats(std)}
        options = self._table(_Normalization, values)
        kind = {_ProcessUnit.OPTIONS_KIND: _NORMALIZATION_OPTIONS}
        return self._table(_ProcessUnit, {_ProcessUnit.OPTIONS: options}, uint8=kind)

    def _label_file(self, file: LabelFile) -> int:
        fields = {_File.NAME: self._text(file.name), _File.DESCRIPTION: self._text(file.description)}
        if file.locale is not None:
            fields[_File.LOCALE] = self._text(file.locale)
        return self._table(_File, fields, uint8={_File.TYPE: _TENSOR_AXIS_LABELS})

    def _table(
        self,
        slots: type[IntEnum] | tuple[()],
        offsets: Mapping[Any, int],
        *,
        uint8: Mapping[Any, int] | None = None,
        uint32: Mapping[Any, int] | None = None,
    ) -> int:
        self.builder.StartObject(len(slots))
        for slot, offset in offsets.items():
            self.builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
        for slot, number in (uint32 or {}).items():
            self.builder.PrependUint32Slot(slot, number, 0)
        for slot, number in (uint8 or {}).items():
            self.builder.PrependUint8Slot(slot, number, 0)
        return int(self.builder.EndObject())

    def _vector(self, offsets: Sequence[int]) -> int:
        self.builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self.builder.PrependUOffsetTRelative(offset)
        return int(self.builder.EndVector())

    def _floats(self, values: Sequence[float]) -> int:
        self.builder.StartVector(4, len(values), 4)
        for value in reversed(values):
            self.builder.PrependFloat32(value)
        return int(self.builder.EndVector())

    def _text(self, text: str) -> int:
        return int(self.builder.CreateString(text))

"""Decode a model's outputs by the head's name, as a device would by the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import structs

from converters.spec.detector_heads import head_preset
from edge_sdk.contract.detector_checks import check_detector
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.values import Array, TensorSpec
from edge_sdk.decode.detections import RawDetections, detection_decoder


def tensor_specs(outputs: Mapping[str, Array]) -> tuple[TensorSpec, ...]:
    """What a backend would say of these outputs."""
    return tuple(TensorSpec(name, value.shape, value.dtype.name) for name, value in outputs.items())


def decode_by_name(
    head: str, image: ImageInput, n_labels: int, outputs: Mapping[str, Array], **changes: Any
) -> RawDetections:
    """Boxes of a known head; ``changes`` replace fields of its description."""
    specs = tensor_specs(outputs)
    output = structs.replace(head_preset(head, image, n_labels, specs), **changes)
    check_detector(output, image)
    decoder = detection_decoder(output, image, n_labels)
    decoder.check(specs)
    return decoder(outputs)

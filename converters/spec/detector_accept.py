"""``[detector.accept]``: what is right though the model contradicts it, each with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, structs

from edge_sdk.errors import SpecError

__all__ = ["DETECTOR_KEYS", "DetectorAccept", "read_accepted"]

_Reason = Annotated[str, Meta(pattern=r"\S.*\S")]


class DetectorAccept(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Contradictions that do not end the conversion.

    Attributes:
        class_activation, objectness_activation, quality_activation: Applied though the model gives 0..1
            already.
        decoding: Boxes that are found better where their numbers are read otherwise.
        labels: Things that are found better where labels are exchanged.
    """

    class_activation: _Reason | None = None
    objectness_activation: _Reason | None = None
    quality_activation: _Reason | None = None
    decoding: _Reason | None = None
    labels: _Reason | None = None


DETECTOR_KEYS = DetectorAccept.__struct_fields__
"""What can be accepted of a detector."""


def read_accepted(path: Path, detector: Mapping[str, Any]) -> dict[str, str]:
    """The reasons that ``[detector]`` gives, by key.

    Raises:
        SpecError: A key cannot be accepted, or has no reason.
    """
    try:
        accept = msgspec.convert(detector.get("accept", {}), DetectorAccept)
    except msgspec.ValidationError as error:
        raise SpecError(
            f"{path}: [detector.accept]: {error}",
            hint=f"a reason each, in words; what can be accepted: {', '.join(DETECTOR_KEYS)}",
        ) from error
    return {key: reason for key, reason in structs.asdict(accept).items() if reason is not None}

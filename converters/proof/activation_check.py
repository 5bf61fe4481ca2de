"""Would an activation be applied twice? A sigmoid of a sigmoid is .5 at least, for every empty place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import structs

from edge_sdk.contract.detector import CandidateBoxes, DetectionOutput, Suppression
from edge_sdk.contract.values import Array
from edge_sdk.errors import BackendError

from ..sources.source_model import SourceModel
from .acceptance import Acceptance
from .picture_reader import PictureReader

__all__ = ["check_activations"]

_PARTS = {
    "class_activation": "classes",
    "objectness_activation": "objectness",
    "quality_activation": "quality",
}
"""What each is applied to, of a scale."""


def check_activations(
    source: SourceModel,
    output: DetectionOutput,
    reader: PictureReader,
    tensors: Sequence[Array],
    acceptance: Acceptance,
) -> None:
    """Refuse an activation on top of what is a score already, in each place of each picture.

    Logits of empty places are far below 0, so that no model gives logits of 0..1 everywhere.

    Args:
        source: The trained model.
        output: How it is read.
        reader: Reads what it says.
        tensors: What it is fed for a few pictures.
        acceptance: Decides.

    Raises:
        SpecError: Scores would be activated twice, and that is not accepted.
    """
    if not isinstance(output, CandidateBoxes) or not tensors:
        return
    asked = {key: getattr(output, key) for key, part in _PARTS.items() if _has(output, part)}
    open_keys = [key for key, activation in asked.items() if activation != "none"]
    for tensor in tensors:
        if not open_keys:
            return
        answers = source.backend.infer({source.input.name: tensor})
        open_keys = [key for key in open_keys if _are_scores(output, key, reader, answers)]
    findings = {
        key: f"{source.name} gives {_called(key)} of 0..1 already, in each place of {len(tensors)} pictures; "
        f"{key} = '{asked[key]}' would be applied on top"
        for key in open_keys
    }
    settings = " and ".join(f"{key} = 'none'" for key in open_keys)
    acceptance.take(findings, f"set {settings} under [detector]")


def _has(output: CandidateBoxes, part: str) -> bool:
    return any(getattr(scale, part) is not None for scale in output.scales)


def _called(key: str) -> str:
    return "class scores" if key == "class_activation" else _PARTS[key]


def _are_scores(
    output: CandidateBoxes, key: str, reader: PictureReader, answers: Mapping[str, Array]
) -> bool:
    """Whether the decoder would take the numbers as they are: it looks at them, wherever none is left out."""
    has_factor = _has(output, "objectness") or _has(output, "quality")
    bare = structs.replace(
        output,
        least_score=0.0 if has_factor else 1.0,
        most_candidates=1,
        suppression=Suppression(method="none"),
        **{key: "none"},
    )
    try:
        reader.decoder(bare)(answers)
    except BackendError:
        return False
    return True

"""An activation on top of the model's own is refused; the factors of a score do not hide it, nor feign it."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, Literal, cast

import numpy as np
import pytest

from converters.proof.acceptance import Acceptance
from converters.proof.activation_check import check_activations
from edge_sdk.contract.detector import Axis, CandidateBoxes, DetectionOutput, DirectCoding, Part, Scale
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.values import Array
from edge_sdk.decode.detections import DetectionDecoder, detection_decoder
from edge_sdk.errors import SpecError

ROWS: list[Axis] = ["candidates", "values"]


class Reader:
    """Decodes as the converter's does."""

    def decoder(self, output: DetectionOutput) -> DetectionDecoder:
        return detection_decoder(output, ImageInput(width=64, height=64), 2)


def check(quality: Array, classes: Array, of_class: str, of_quality: str, part: str) -> None:
    boxes = np.tile(np.array([0, 0, 9, 9], np.float32), (len(classes), 1))
    answer = {"y": np.concatenate([boxes, quality, classes], axis=1).astype(np.float32)}

    def infer(_inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        return answer

    source = SimpleNamespace(
        name="model", input=SimpleNamespace(name="x"), backend=SimpleNamespace(infer=infer)
    )
    factor: dict[str, Any] = {part: Part(axes=ROWS, start=4), f"{part}_activation": of_quality}
    output = CandidateBoxes(
        scales=[Scale(box=Part(axes=ROWS), classes=Part(axes=ROWS, start=5), **{part: factor.pop(part)})],
        coding=DirectCoding(),
        class_activation=cast("Literal['none', 'sigmoid']", of_class),
        **factor,
    )
    check_activations(
        cast("Any", source), output, cast("Any", Reader()), [np.zeros(1, np.float32)], Acceptance({})
    )


RNG = np.random.default_rng(1)
LOGITS = RNG.normal(-3, 1, (50, 2))
SCORES = RNG.uniform(0, 1, (50, 2))
FACTOR_LOGITS, FACTORS = LOGITS[:, :1], SCORES[:, :1] * 0.9


@pytest.mark.parametrize("part", ["objectness", "quality"])
def test_logits_are_not_taken_for_scores_where_the_factor_is_low(part: str) -> None:
    check(FACTORS, LOGITS, "sigmoid", "none", part)
    check(FACTOR_LOGITS, LOGITS, "sigmoid", "sigmoid", part)


@pytest.mark.parametrize("part", ["objectness", "quality"])
def test_an_activation_on_top_of_scores_is_refused_whatever_the_factor(part: str) -> None:
    with pytest.raises(SpecError, match=r"gives class scores of 0\.\.1 already"):
        check(FACTORS, SCORES, "sigmoid", "none", part)
    with pytest.raises(SpecError, match=rf"gives {part} of 0\.\.1 already.*{part}_activation = 'sigmoid'"):
        check(FACTORS, LOGITS, "sigmoid", "sigmoid", part)

"""A head that is known by name says how its authors resize pictures."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from converters.proof.acceptance import Acceptance
from converters.proof.case import Case
from converters.proof.head_resize import check_head_resize
from converters.spec.detector_heads import HEADS
from edge_sdk.contract.image import ImageInput, ResizeMode


def case_of(head: str | None, resize: ResizeMode, accepted: dict[str, str]) -> Case[Any]:
    content = {} if head is None else {"head": head}
    image = ImageInput(width=352, height=352, resize=resize)
    spec: Any = SimpleNamespace(image=image, detector=SimpleNamespace(content=content))
    nothing: Any = None  # is not looked at
    return Case(spec, nothing, None, nothing, 0.01, Acceptance(accepted))


@pytest.mark.parametrize(
    ("head", "usual", "other"), [("fastestdet", "stretch", "letterbox"), ("yolov8", "letterbox", "stretch")]
)
def test_another_resize_than_the_authors_is_a_warning(
    head: str, usual: ResizeMode, other: ResizeMode
) -> None:
    assert check_head_resize(case_of(head, usual, {})) == []
    (warning,) = check_head_resize(case_of(head, other, {}))
    assert warning.startswith(f"the authors of '{head}' resize pictures by '{usual}'")
    assert f"resize = '{other}'" in warning


def test_what_is_accepted_is_on_record_and_no_warning() -> None:
    case = case_of("yolox", "stretch", {"resize": "trained on squares"})
    assert check_head_resize(case) == []
    (accepted,) = case.acceptance.found
    assert (accepted.key, accepted.reason) == ("resize", "trained on squares")


@pytest.mark.parametrize("resize", ["stretch", "letterbox", "crop"])
@pytest.mark.parametrize("head", [None, "yolov3", "yolo_nms", "detr", "tflite_detection_postprocess"])
def test_heads_that_are_trained_either_way_tell_nothing(head: str | None, resize: ResizeMode) -> None:
    assert head is None or head in HEADS
    assert check_head_resize(case_of(head, resize, {})) == []

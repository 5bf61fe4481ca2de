"""How the authors of a detector resize pictures, where its head is one that is known by name.

Boxes are nearly as good stretched as letterboxed, so that a few dozen pictures do not tell which a model
was trained with. Its head does, most of the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge_sdk.contract.image import ImageInput, ResizeMode

from .case import Case

__all__ = ["check_head_resize"]

_USUAL: Mapping[str, ResizeMode] = {
    "yolov5": "letterbox",
    "yolov8": "letterbox",
    "yolo11": "letterbox",
    "yolov10": "letterbox",
    "yolox": "letterbox",
    "blazeface": "letterbox",
    "fastestdet": "stretch",
    "ssd_mobilenet": "stretch",
}
"""Ultralytics' ``LetterBox``, YOLOX's ``preproc`` and MediaPipe's ``keep_aspect_ratio``; FastestDet's
``cv2.resize`` and TensorFlow's ``fixed_shape_resizer``. Heads that are trained either way are left out."""


def check_head_resize(case: Case[Any]) -> list[str]:
    """Warn where a spec resizes pictures otherwise than is usual for its head; no proof, so no refusal.

    Args:
        case: The spec; may accept a contradiction of ``resize``.
    """
    image: ImageInput = case.spec.image
    head = str(case.spec.detector.content.get("head"))
    usual = _USUAL.get(head, image.resize)
    if usual == image.resize:
        return []
    said = f"the authors of '{head}' resize pictures by '{usual}', the spec says resize = '{image.resize}'"
    if case.acceptance.covers("resize"):
        case.acceptance.take({"resize": said}, "")
        return []
    return [f"{said}: was the model trained so?"]

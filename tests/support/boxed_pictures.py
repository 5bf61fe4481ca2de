"""Pictures with boxes on disk, in the forms that annotation tools write."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from edge_sdk.contract.values import Pixels

__all__ = ["write_coco", "write_noise", "write_voc"]


def write_noise(path: Path, height: int = 20, width: int = 30, seed: int = 0) -> Path:
    """A picture like no other with another seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels: Pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def write_coco(
    path: Path, images: Sequence[tuple[str, int, int]], boxes: Sequence[dict[str, Any]], *categories: str
) -> Path:
    """COCO JSON: file name, width and height of each picture; annotations with ``image`` and ``name``."""
    ids = {name: 7 * number + 3 for number, name in enumerate(categories)}  # as in COCO, with gaps
    document = {
        "info": {"year": 2017},
        "images": [
            {"id": number, "file_name": name, "width": width, "height": height, "license": 1}
            for number, (name, width, height) in enumerate(images)
        ],
        "categories": [{"id": ids[name], "name": name, "supercategory": "x"} for name in categories],
        "annotations": [
            {
                "id": number,
                "image_id": box["image"],
                "category_id": ids[box["name"]],
                "bbox": box["bbox"],
                "area": 1.0,
                "iscrowd": box.get("iscrowd", 0),
            }
            for number, box in enumerate(boxes, 1)
        ],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


def write_voc(
    path: Path, picture: str, things: Sequence[tuple[str, Sequence[object], int]], size: str = ""
) -> Path:
    """Pascal VOC XML: name, corners and ``difficult`` of each thing."""
    corners = ("xmin", "ymin", "xmax", "ymax")
    objects = ""
    for name, box, difficult in things:
        numbers = "".join(f"<{key}>{value}</{key}>" for key, value in zip(corners, box, strict=True))
        objects += f"<object><name>{name}</name><difficult>{difficult}</difficult>"
        objects += f"<bndbox>{numbers}</bndbox></object>"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"<annotation><filename>{picture}</filename>{size}{objects}</annotation>")
    return path

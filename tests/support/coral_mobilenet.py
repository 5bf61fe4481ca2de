"""Coral's MobileNetV2 in uint8, with photos of three of its thousand classes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from converters.spec.label_file import label_id_of

__all__ = ["coral_conversion"]

_PHOTOS = {"macaw": "coral/parrot.jpg", "hotdog": "coral/hot_dog.jpg", "chickadee": "coral/bird.bmp"}
_SPEC = """
name = "mobilenet"
version = "2.0.0"
labels_file = "labels.csv"
[model]
exclusive = true
[default_rule]
threshold = 0.5
[image]
width = 224
height = 224
preprocessing = "tf"
"""


def coral_conversion(folder: Path, shared_data: Path) -> dict[str, Any]:
    """What :func:`converters.convert` is given: ``model``, ``spec``, ``evaluation`` and ``output``."""
    names = (shared_data / "models/coral/imagenet_labels.txt").read_text().splitlines()
    rows = [f"{index},{label_id_of(name.split(',')[0])}_{index},x" for index, name in enumerate(names)]
    (folder / "labels.csv").write_text("\n".join(["index,id,name", *rows]))
    for name, photo in _PHOTOS.items():
        (label,) = [row.split(",")[1] for row in rows if row.split(",")[1].rpartition("_")[0] == name]
        (folder / "evaluation" / label).mkdir(parents=True)
        shutil.copyfile(shared_data / "images" / photo, folder / "evaluation" / label / Path(photo).name)
    (folder / "coral.toml").write_text(_SPEC)
    return {
        "model": shared_data / "models/coral/tf2_mobilenet_v2_1.0_224_ptq.tflite",
        "spec": folder / "coral.toml",
        "evaluation": folder / "evaluation",
        "output": folder / "coral.edge",
    }

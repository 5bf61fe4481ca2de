"""The labels that a model file itself carries, as TFLite metadata prescribes.

Such a ``.tflite`` ends in an uncompressed zip with the label files that its metadata names.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Sequence

__all__ = ["labels_in_model", "labels_reordered"]

_LABEL_FILE = "labels.txt"
_LARGEST_BYTES = 1024 * 1024
_NO_LABELS = (
    zipfile.BadZipFile,
    KeyError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    EOFError,
    struct.error,
)


def labels_in_model(model: bytes) -> list[str] | None:
    """Labels in the order of the outputs; ``None`` where the file carries none that can be read."""
    try:
        with zipfile.ZipFile(io.BytesIO(model)) as archive:
            member = archive.getinfo(_LABEL_FILE)
            if member.compress_type != zipfile.ZIP_STORED or member.file_size > _LARGEST_BYTES:
                return None
            return archive.read(member).decode().splitlines()
    except _NO_LABELS:
        return None


def labels_reordered(model: bytes, label_ids: Sequence[str]) -> bool:
    """Whether a model file lists the same labels in another order: then one of the two is wrong.

    Other labels prove nothing, for a model from elsewhere may call them by other names.
    """
    own = labels_in_model(model)
    return own is not None and own != list(label_ids) and sorted(own) == sorted(label_ids)

"""What a file is that somebody gave for another: a model for a bundle, a spec for a configuration.

Looked at only where the file could not be used, so that the message can say what it is and what to run.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path
from typing import Literal, TypeAlias

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["FileKind", "Wanted", "kind_of", "mistaken_for"]

FileKind: TypeAlias = Literal[
    "bundle",
    "keras",
    "saved_model",
    "tflite",
    "onnx",
    "hdf5",
    "pytorch",
    "spec",
    "config",
    "recording",
    "picture",
]
Wanted: TypeAlias = Literal["bundle", "spec", "config", "model"]

_MODELS: tuple[FileKind, ...] = ("keras", "saved_model", "tflite", "onnx")

_WORDS: dict[str, str] = {
    "bundle": "a bundle",
    "keras": "a Keras model",
    "saved_model": "a SavedModel",
    "tflite": "a TFLite model",
    "onnx": "an ONNX model",
    "hdf5": "a Keras model in HDF5",
    "pytorch": "a PyTorch file",
    "spec": "a spec",
    "config": "a device's configuration",
    "model": "a trained model",
    "recording": "a recording",
    "picture": "a picture or video",
}

_EXPORTS: dict[FileKind, str] = {
    "hdf5": "save it as .keras first: keras.saving.load_model('OLD.h5').save('NEW.keras')",
    "pytorch": "export it with torch.onnx.export, and convert the .onnx",
}

_CONVERT = "edge-sdk convert {model} --spec {spec} --evaluation DIR -o NAME.edge"

_HINTS: dict[FileKind, str] = {
    "bundle": "it is converted already: 'edge-sdk inspect {path}' shows it, predict and run use it",
    "config": "it is given behind --config, or to 'edge-sdk run', which runs the bundle that it names",
    "spec": _CONVERT.format(model="MODEL", spec="{path}"),
    "recording": "the bundle comes first: edge-sdk predict BUNDLE FILE...",
    "picture": "the bundle comes first: edge-sdk predict BUNDLE FILE...",
}

_SUFFIXES: dict[str, FileKind] = {
    **dict.fromkeys((".wav", ".flac", ".ogg"), "recording"),
    **dict.fromkeys((".jpg", ".jpeg", ".png", ".mp4", ".avi"), "picture"),
    ".onnx": "onnx",
    ".pt": "pytorch",
    ".pth": "pytorch",
}
_SPEC_KEYS = {"audio", "image", "labels", "labels_file", "label_set", "detector", "default_rule"}
_TFLITE_AT = slice(4, 8)
_HEAD_BYTES = 8


def kind_of(path: Path) -> FileKind | None:
    """What a file or folder is, by its content as far as that tells; ``None`` for anything else."""
    try:
        if path.is_dir():
            return "saved_model" if (path / "saved_model.pb").is_file() else None
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        return None
    if head.startswith(b"PK"):
        return _kind_of_archive(path)
    if head[_TFLITE_AT] == b"TFL3":
        return "tflite"
    if head.startswith(b"\x89HDF"):
        return "hdf5"
    return _kind_of_toml(path) if path.suffix.lower() == ".toml" else _SUFFIXES.get(path.suffix.lower())


def mistaken_for(path: Path, wanted: Wanted) -> tuple[str, str] | None:
    """Message and hint for a file that is something else than what was wanted.

    Returns:
        ``None`` where it is what was wanted, or nothing that is known.
    """
    kind = kind_of(path)
    if kind is None or kind == wanted or (wanted == "model" and kind in _MODELS):
        return None
    return f"{path} is {_WORDS[kind]}, not {_WORDS[wanted]}", _hint(path, kind, wanted)


def _hint(path: Path, kind: FileKind, wanted: Wanted) -> str:
    if kind in _EXPORTS:
        return _EXPORTS[kind]
    if wanted == "config":
        return "CONFIG.toml has [inference]; for 'edge-sdk run' it names bundle, source and broker, too"
    if kind in _MODELS:
        if wanted == "spec":
            return f"a spec describes the model: 'edge-sdk spec {path} --task TASK -o SPEC.toml' begins one"
        return _CONVERT.format(model=path, spec="SPEC.toml")
    return _HINTS[kind].format(path=path)


def _kind_of_archive(path: Path) -> FileKind | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return None
    if "manifest.json" in names:
        return "bundle"
    if {"metadata.json", "config.json"} <= names:
        return "keras"
    return "pytorch" if any(name.endswith("/data.pkl") for name in names) else None


def _kind_of_toml(path: Path) -> FileKind | None:
    try:
        keys = set(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return None
    if "inference" in keys or ("bundle" in keys and keys & {"broker", "source", "device"}):
        return "config"
    return "spec" if keys & _SPEC_KEYS else None

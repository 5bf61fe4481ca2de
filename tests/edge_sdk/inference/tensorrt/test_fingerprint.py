"""An engine is found again only where all of what it was built of, by and for is the same."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from fake_gpu import FakeGpu

from edge_sdk.inference.tensorrt import fingerprint as fingerprint_module
from edge_sdk.inference.tensorrt.cuda import Gpu, open_cuda
from edge_sdk.inference.tensorrt.fingerprint import Fingerprint, fingerprint, fingerprint_for
from edge_sdk.inference.tensorrt.library import find_library

Install = Callable[..., None]
ORIN = Gpu("Orin", "8.7", integrated=True, memory_bytes=8 << 30, cuda="12.6")


def test_every_part_changes_the_key(install: Install) -> None:
    install("10.3")
    base = fingerprint(b"model", find_library(), ORIN)
    keys = {base.key}
    for name in base.__struct_fields__:
        value = getattr(base, name)
        other = not value if isinstance(value, bool) else f"{value}!"
        keys.add(msgspec.structs.replace(base, **{name: other}).key)
    assert len(keys) == 1 + len(base.__struct_fields__)


def test_the_same_again_has_the_same_key(install: Install) -> None:
    install("10.3")
    assert fingerprint(b"model", find_library(), ORIN).key == fingerprint(b"model", find_library(), ORIN).key


@pytest.mark.parametrize("change", [{"name": "Orin NX"}, {"cuda": "13.0"}, {"compute_capability": "8.6"}])
def test_tensorrts_engines_hold_for_one_board_and_driver(install: Install, change: dict[str, str]) -> None:
    install("10.3")
    other = dataclasses.replace(ORIN, **change)  # type: ignore[arg-type]
    assert fingerprint(b"m", find_library(), ORIN) != fingerprint(b"m", find_library(), other)


def test_boards_whose_gpus_have_one_name_are_told_apart(
    install: Install, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install("10.3")
    model = tmp_path / "model"
    monkeypatch.setattr(fingerprint_module, "_MODEL", model)
    model.write_bytes(b"NVIDIA Jetson Orin Nano Developer Kit\0")
    assert fingerprint(b"m", find_library(), ORIN).board == "NVIDIA Jetson Orin Nano Developer Kit"
    card = dataclasses.replace(ORIN, name="A2", integrated=False)
    assert fingerprint(b"m", find_library(), card).board == "A2"
    model.unlink()
    assert fingerprint(b"m", find_library(), ORIN).board == "Orin"


def test_tensorrt_rtxs_hold_for_all_cards_of_a_capability(install: Install) -> None:
    install("rtx")
    card = dataclasses.replace(ORIN, name="RTX 3060", compute_capability="8.6", cuda="13.0")
    assert fingerprint(b"m", find_library(), card) == fingerprint_for(b"m", find_library(), "8.6")


def test_memory_does_not_matter(install: Install) -> None:
    install("10.3")
    other = dataclasses.replace(ORIN, memory_bytes=4 << 30)
    assert fingerprint(b"m", find_library(), ORIN) == fingerprint(b"m", find_library(), other)


def test_differences_are_told_with_both_sides(install: Install, gpu: FakeGpu) -> None:
    install("10.3")
    here = fingerprint(b"model", find_library(), open_cuda().gpu)
    there = msgspec.structs.replace(here, version="8.6.2", cuda="11.4", board="Xavier")
    assert there.differences(here) == (
        "version 8.6.2 (here: 10.3.0), the board Xavier (here: Orin), CUDA 11.4 (here: 12.6)"
    )
    assert here.differences(here) == ""


def test_a_long_digest_is_cut() -> None:
    one, two = (
        Fingerprint(onnx_sha256=digit * 64, product="TensorRT", version="10", compute_capability="8.7")
        for digit in "ab"
    )
    assert one.differences(two) == "an ONNX file of SHA-256 aaaaaaaaaaaa... (here: bbbbbbbbbbbb...)"

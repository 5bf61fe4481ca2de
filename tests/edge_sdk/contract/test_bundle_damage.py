"""Flipped bits in a bundle are found, or change nothing that is used."""

from __future__ import annotations

from pathlib import Path

import pytest
from example_contract import example_manifest, example_members
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_sdk.contract.bundle import Bundle, write_bundle
from edge_sdk.errors import EdgeSdkError


@pytest.fixture(scope="module")
def damaged_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("damaged") / "whole.edge"
    write_bundle(path, example_manifest(), example_members())
    return path


@pytest.fixture(scope="module")
def whole(damaged_path: Path) -> bytes:
    return damaged_path.read_bytes()


flips = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=4)


@settings(max_examples=300)
@given(damage=flips)
def test_damage_anywhere_is_found_or_harmless(
    damaged_path: Path, whole: bytes, damage: list[tuple[float, int]]
) -> None:
    """Flipped bits end in an error of ours, or changed nothing that is used."""
    content = bytearray(whole)
    for place, flip in damage:
        content[int(place * len(content))] ^= flip
    damaged_path.write_bytes(content)
    try:
        bundle = Bundle.open(damaged_path)
    except EdgeSdkError:
        return
    assert bundle.manifest == example_manifest()
    assert {name: bundle.read(name) for name in example_members()} == example_members()

"""The model card's table of the demo's material is what its command measures."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from edge_sdk.contract.values import Float32Array
from edge_sdk.demo.mixing import rms
from edge_sdk.demo.soundscape import SAMPLE_RATE_HZ, STAGED_LUMPS
from edge_sdk.demo.wheels import cache_folder
from edge_sdk.errors import InputError
from examples.forest_sounds.dataset import LABELS
from examples.forest_sounds.demo_material import EXPLOSION, GUNS, SAWS, describe, in_forest

ALL = (*SAWS, *GUNS, EXPLOSION)


def noise(seconds: float, level: float, seed: int) -> Float32Array:
    samples = np.random.default_rng(seed).normal(scale=level, size=round(seconds * SAMPLE_RATE_HZ))
    return samples.astype(np.float32)


def test_a_sound_is_set_into_each_stretch_of_the_forest_at_its_own_level() -> None:
    forest, sound = noise(11.0, 0.01, 1), noise(1.0, 0.5, 2)
    mixed = in_forest(forest, sound)
    assert len(mixed) == 3
    for index, whole in enumerate(mixed):
        stretch = forest[index * 3 * SAMPLE_RATE_HZ :][: whole.size]
        added = whole - stretch
        assert np.flatnonzero(added)[0] == SAMPLE_RATE_HZ // 2
        heard = added[SAMPLE_RATE_HZ // 2 :][: sound.size]
        assert 20 * np.log10(rms(heard) / rms(stretch)) == pytest.approx(12.0, abs=0.01)


def test_the_table_gives_the_median_and_the_range_of_a_sounds_own_label() -> None:
    places = iter(range(1000))

    def highest(sound: Float32Array) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        if sound.size > 5 * SAMPLE_RATE_HZ:
            return np.array([0.1, 0.2, 0.3, 0.4])
        return np.array([0.5 + next(places) % 14 / 50, 0.0, 0.25, 0.0])

    try:
        lines = describe(cache_folder(), highest).splitlines()
    except InputError as error:
        pytest.skip(f"the recordings cannot be had: {error.message}")
    assert lines[0] == "forest alone: chainsaw 0.10, engine 0.20, gunshot 0.30, storm 0.40"
    assert f"| {SAWS[0]} | chainsaw | 0.63 (0.50 to 0.76) of 14 |" in lines
    assert f"| {EXPLOSION} | none | 0.25 (0.25 to 0.25) of 14 |" in lines
    assert [line.split()[1] for line in lines[3:]] == list(ALL)


def test_the_card_has_a_row_for_each_sound_and_all_that_the_demo_stages(project: Path) -> None:
    card = (project / "examples/forest_sounds/MODEL_CARD.md").read_text(encoding="utf-8")
    rows = dict(
        re.findall(r"^\| (DS\w+) \| (\w+) \| [\d.]+ \([\d.]+ to [\d.]+\) of \d+ \|$", card, re.MULTILINE)
    )
    assert tuple(rows) == ALL
    assert set(STAGED_LUMPS) <= set(rows)
    assert set(rows.values()) <= {*LABELS, "none"}

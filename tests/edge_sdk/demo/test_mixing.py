"""Mixing at a stated ratio."""

from __future__ import annotations

import numpy as np
import pytest

from edge_sdk.demo.mixing import add_at, loop_to, rms


def noise(length: int, seed: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.random.default_rng(seed).normal(0.0, 0.1, length).astype(np.float32)


def test_a_sound_is_added_at_the_stated_ratio_and_only_where_it_belongs() -> None:
    background, sound = noise(8000, 1), noise(2000, 2)
    mixed = background.copy()

    add_at(mixed, sound, 3000, snr_db=12.0)

    added = mixed - background
    assert 20 * np.log10(rms(added[3000:5000]) / rms(background)) == pytest.approx(12.0, abs=0.01)
    assert not added[:3000].any()
    assert not added[5000:].any()


def test_a_sound_that_runs_over_the_end_is_cut() -> None:
    background = noise(100, 1)
    add_at(background, noise(1000, 2), 90, snr_db=0.0)
    assert background.size == 100


def test_silence_changes_nothing() -> None:
    background = noise(100, 1)
    mixed = background.copy()
    add_at(mixed, np.zeros(50, np.float32), 10, snr_db=20.0)
    assert np.array_equal(mixed, background)


def test_a_looped_sound_has_the_wanted_length_and_no_step_at_its_seams() -> None:
    time = np.arange(2205) / 22050
    tone = np.sin(2 * np.pi * 100 * time).astype(np.float32)

    looped = loop_to(tone, 10000, crossfade=200)

    assert looped.size == 10000
    assert np.abs(np.diff(looped)).max() <= 1.05 * np.abs(np.diff(tone)).max()

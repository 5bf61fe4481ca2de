"""``labels.csv``: no label may be lost on the way."""

from __future__ import annotations

from pathlib import Path

import pytest
from labelled_sounds import LABELS, write_sounds

from converters.data.dataset import read_dataset
from edge_sdk.errors import DatasetError


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    return write_sounds(tmp_path / "recordings", 2, seed=9)


def test_a_csv_gives_a_clip_several_labels_and_overrides_its_folder(recordings: Path) -> None:
    (recordings / "saw/saw-0.wav").rename(recordings / "both.wav")
    (recordings / "labels.csv").write_text(
        "file,labels\nboth.wav,saw; shot\nbackground/background-0.wav,saw\nsaw/saw-1.wav,background\n"
    )
    labels = {clip.name: clip.labels for clip in read_dataset(recordings, LABELS).clips}
    assert labels["both.wav"] == {"saw", "shot"}
    assert labels["background/background-0.wav"] == {"saw"}
    assert labels["saw/saw-1.wav"] == set()
    assert labels["shot/shot-0.wav"] == {"shot"}


def test_quotes_blank_lines_and_a_spreadsheets_mark_are_read(recordings: Path) -> None:
    (recordings / "saw/saw-0.wav").rename(recordings / "both, near.wav")
    rows = (
        b'\xef\xbb\xbffile,labels\r\n\r\n"both, near.wav",saw;shot\r\n./saw/../saw/saw-1.wav,background\r\n'
    )
    (recordings / "labels.csv").write_bytes(rows)
    labels = {clip.name: clip.labels for clip in read_dataset(recordings, LABELS).clips}
    assert labels["both, near.wav"] == {"saw", "shot"}
    assert labels["saw/saw-1.wav"] == set()


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("saw/saw-0.wav,swa", "line 3 names 'swa', which is no label"),
        ("saw/absent.wav,saw", "line 3 names 'saw/absent.wav', which is no recording there"),
        ("shot/shot-0.wav,saw", "line 3: 'shot/shot-0.wav' is in line 2 already"),
        ("./shot//shot-0.wav,saw", "line 3: './shot//shot-0.wav' is in line 2 already"),
        ("saw/saw-0.wav,saw,shot", "line 3 has 3 columns instead of 2"),
        ("saw/saw-0.wav", "line 3 has no labels"),
        ("saw/saw-0.wav, ", "line 3 has no labels"),
        ("saw/saw-0.wav,;", "line 3 has no labels"),
        ("saw/saw-0.wav,background;saw", "line 3: 'background;saw' is both background and a label"),
        ("/saw/saw-0.wav,saw", "line 3: '/saw/saw-0.wav' is outside the folder"),
        ("../recordings/saw/saw-0.wav,saw", "is outside the folder"),
        (",saw", "line 3 names no file"),
        ('saw/saw-0.wav,"saw', "line 3 is no CSV"),
    ],
)
def test_a_row_that_is_not_one_file_and_its_labels_is_refused(
    recordings: Path, row: str, complaint: str
) -> None:
    (recordings / "labels.csv").write_text(f"file,labels\nshot/shot-0.wav,shot\n{row}\n")
    with pytest.raises(DatasetError) as caught:
        read_dataset(recordings, LABELS)
    assert complaint in caught.value.message


@pytest.mark.parametrize(
    ("row", "hint"),
    [
        ("saw/saw-0.wav,swa", "did you mean 'saw'?"),
        ("saw/saw-0.wav,saw,shot", "labels are separated by semicolons: saw/saw-0.wav,saw;shot"),
        ("saw/saw-0.wav", "for none of the labels: saw/saw-0.wav,background"),
    ],
)
def test_the_hint_says_what_to_write(recordings: Path, row: str, hint: str) -> None:
    (recordings / "labels.csv").write_text(f"file,labels\n{row}\n")
    with pytest.raises(DatasetError) as caught:
        read_dataset(recordings, LABELS)
    assert caught.value.hint == hint


@pytest.mark.parametrize("first", ["", "path,tags", "file;labels", "file,labels,notes"])
def test_other_headings_are_refused(recordings: Path, first: str) -> None:
    (recordings / "labels.csv").write_text(f"{first}\nsaw/saw-0.wav,saw\n")
    with pytest.raises(DatasetError, match="must be 'file,labels'"):
        read_dataset(recordings, LABELS)


def test_a_list_that_is_no_utf_8_is_refused(recordings: Path) -> None:
    (recordings / "labels.csv").write_bytes(b"file,labels\nsaw/s\xe4ge.wav,saw\n")
    with pytest.raises(DatasetError, match=r"cannot read .*labels\.csv"):
        read_dataset(recordings, LABELS)

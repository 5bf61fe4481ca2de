"""What went into a bundle is named by content, whatever the files are called."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from converters.sources.source_model import digest_path


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A folder whose name is no UTF-8, with such a file in it."""
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/model \xff"))
    try:
        folder.mkdir()
        (folder / os.fsdecode(b"weights \xfe")).write_bytes(b"weights")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    return folder


def test_a_files_name_need_not_be_utf_8(odd: Path) -> None:
    (file,) = odd.iterdir()
    digest = digest_path(file)
    assert digest.name == "weights \N{REPLACEMENT CHARACTER}"
    assert digest.sha256 == hashlib.sha256(b"weights").hexdigest()


def test_nor_a_folders_or_what_is_in_it_yet_names_are_told_apart(odd: Path) -> None:
    before = digest_path(odd)
    assert before.name == "model \N{REPLACEMENT CHARACTER}"
    (file,) = odd.iterdir()
    file.rename(odd / os.fsdecode(b"weights \xfd"))
    assert digest_path(odd).sha256 != before.sha256

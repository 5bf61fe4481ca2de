"""The JSON of ``edge-sdk predict`` is one object, however much is in it, and memory does not grow with it."""

from __future__ import annotations

import io
import json
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from device.picture_report import FrameReport, PictureReport
from device.predict_document import PredictDocument
from edge_sdk.errors import EdgeSdkError


def test_frames_are_kept_outside_of_memory_and_come_out_as_one_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    noise = np.random.default_rng(0)
    out = io.StringIO()
    with PredictDocument("frames") as document:
        tracemalloc.start()
        for name in ("a.mp4", "b.mp4"):
            document.begin_file(name)
            for index in range(20_000):
                scores = {str(label): float(noise.random()) for label in range(5)}
                document.add(FrameReport(index=index, time_s=index / 25, scores=scores))
            document.end_file(_report(name, 20_000))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        document.write({"task": "classify"}, out)
    found = json.loads(out.getvalue())
    assert len(out.getvalue()) > 5_000_000
    assert most < 3_000_000
    assert [file["file"] for file in found["files"]] == ["a.mp4", "b.mp4"]
    assert [frame["index"] for frame in found["files"][1]["frames"]] == list(range(20_000))
    assert found["files"][1]["frames_seen"] == 20_000
    assert list(tmp_path.iterdir()) == []


def test_a_folder_for_temporary_files_that_takes_nothing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    noise = np.random.default_rng(0)
    frames = (FrameReport(scores={"a": float(noise.random())}) for _ in range(100_000))
    with PredictDocument("frames") as document:
        with pytest.raises(EdgeSdkError, match="absent") as failed:
            any(map(document.add, frames))
        assert "TMPDIR" in str(failed.value.hint)


def _report(name: str, frames: int) -> PictureReport:
    return PictureReport(
        file=name, error=None, hint=None, width=4, height=3, frames_seen=frames, seen={}, peaks={}, saved=None
    )

"""The pictures that the demo leaves: the whole soundscape, and each staged sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge_sdk.contract.audio import LogMel
from edge_sdk.demo.soundscape import StagedSound
from edge_sdk.demo.spectrograms import draw_spectrograms
from edge_sdk.demo.verdict import HeardEvent, judge

FRONT_END = LogMel(
    sample_rate_hz=16000, n_fft=1024, win_length=1024, hop=160, n_mels=64, fmin_hz=60.0, fmax_hz=8000.0
)


def test_there_is_one_picture_of_all_and_one_of_each_staged_sound(tmp_path: Path) -> None:
    samples = np.random.default_rng(1).normal(0, 0.1, 16000 * 12).astype(np.float32)
    staged = [StagedSound("chainsaw", 1.0, 3.0, "a saw"), StagedSound("gunshot", 4.0, 4.5, "a gun")]
    events = [HeardEvent("chainsaw", 1.0, 3.0, 0.9)]

    paths = draw_spectrograms(samples, FRONT_END, judge(staged, events, 2.0), events, tmp_path)

    names = ["soundscape.png", "staged-1-chainsaw.png", "staged-2-gunshot.png"]
    assert [path.name for path in paths] == names
    contents = [path.read_bytes() for path in paths]
    assert all(content.startswith(b"\x89PNG") for content in contents)
    assert len(set(contents)) == len(contents)

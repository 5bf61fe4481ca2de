"""Scores of long recordings are kept, so they must be small."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from labelled_sounds import spec_text
from sparse_recording import write_sparse_wav

from converters.data.dataset import read_dataset
from converters.proof.scoring import score_dataset
from converters.spec.spec_file import load_spec
from edge_sdk.console.progress import SilentProgress
from edge_sdk.contract.values import Array, TensorSpec
from edge_sdk.errors import BackendError
from edge_sdk.inference.scorer import AudioScorer

LABELS = tuple(f"label_{number}" for number in range(2000))


class Counting:
    """A model that answers the first label with how many windows it has heard, by thousands."""

    inputs = (TensorSpec("mel", (1, 97, 24), "float32"),)
    outputs = (TensorSpec("scores", (1, len(LABELS)), "float32"),)

    def __init__(self, breaks_after: int | None = None) -> None:
        self._heard = 0
        self._breaks_after = breaks_after

    def infer(self, _tensors: Any) -> dict[str, Array]:
        self._heard += 1
        if self._heard == self._breaks_after:
            raise BackendError("the model broke")
        scores = np.zeros((1, len(LABELS)), dtype=np.float32)
        scores[0, 0] = self._heard / 1000
        return {"scores": scores}


@pytest.fixture
def scorer(tmp_path: Path) -> Any:
    (tmp_path / "spec.toml").write_text(spec_text(activation="none"))
    spec = load_spec(tmp_path / "spec.toml")

    def make(**options: Any) -> AudioScorer:
        backend: Any = Counting(**options)
        return AudioScorer(spec.audio, spec.classes, LABELS, backend)

    return make


def dataset_of(folder: Path, seconds: int) -> Any:
    (folder / "set/background").mkdir(parents=True)
    write_sparse_wav(folder / "set/background/long.wav", seconds, 8000)
    return read_dataset(folder / "set", LABELS)


def test_each_window_is_scored_by_each_model_and_a_clip_has_its_highest(scorer: Any, tmp_path: Path) -> None:
    models = {"whole": scorer(), "broken": scorer(breaks_after=3)}
    found, failed = score_dataset(dataset_of(tmp_path, 3), models, SilentProgress(), "")
    assert list(found) == ["whole"]
    assert failed["broken"].message == "the model broke"
    assert [place.start for place in found["whole"].places] == list(range(0, 16001, 2000))
    assert found["whole"].windows[:, 0].tolist() == pytest.approx([n / 1000 for n in range(1, 10)])
    assert found["whole"].samples[0, :2].tolist() == pytest.approx([0.009, 0.0])


def test_a_score_takes_four_bytes(scorer: Any, tmp_path: Path) -> None:
    dataset = dataset_of(tmp_path, 100)
    models = {"one": scorer()}
    tracemalloc.start()
    found, _ = score_dataset(dataset, models, SilentProgress(), "")
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    scores = found["one"].windows.size
    assert scores == 397 * len(LABELS)
    assert peak_bytes < 8 * scores  # kept once, and the buffers of one recording

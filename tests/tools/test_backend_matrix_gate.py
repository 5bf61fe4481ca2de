"""The matrix asks the gate as a user would, and keeps what it says of every variant."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from conversions import ALL_VARIANTS

from converters.data.dataset import read_dataset
from converters.report.report_file import VariantReport
from edge_sdk.contract.bundle import Bundle
from edge_sdk.contract.manifest import Metric
from edge_sdk.errors import GateRefusedError
from examples.digits.dataset import read_digits, split
from examples.digits.train import train, write_pictures
from examples.forest_sounds.dataset import TEST, read_splits
from tools.backend_matrix import gate, one_case
from tools.backend_matrix.cases import CASES, Case, Prepared
from tools.backend_matrix.labelled import Labelled, chainsaws, forest_sounds, of_the_recipe

# Keras's own, as it saves
keras_warns = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def few_digits(folder: Path, data: Path) -> Prepared:
    """The example's network, briefly trained, with a hundred digits to judge it."""
    parts = split(read_digits(data / "images/digits"))
    few = parts.training.chosen(np.arange(len(parts.training.labels)) % 8 == 0)
    train(few, epochs=2, seed=1).save(folder / "digits.keras")
    judges = np.arange(len(parts.evaluation.labels)) % (len(parts.evaluation.labels) // 100) == 0
    write_pictures(parts.calibration, folder / "calibration")
    write_pictures(parts.evaluation.chosen(judges), folder / "evaluation")
    spec = Path(__file__).parents[2] / "examples/digits/digits.toml"
    return Prepared((folder / "digits.keras",), spec, (), (), of_the_recipe(folder, "digits"))


@keras_warns
def test_every_variant_of_a_model_has_what_a_conversion_says_of_it(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = Path(os.environ.get("EDGE_SDK_DATA", project / "../shared/data"))
    monkeypatch.setitem(CASES, "digits", Case("Digits", "Keras", few_digits))
    (tmp_path / "row.json").write_bytes(b"as it was")
    (tmp_path / "measured_with").write_text("a digest")
    monkeypatch.setattr(one_case, "measurement_digest", lambda _data: "a digest")
    assert not one_case.is_done("digits", data, tmp_path)
    assert one_case.main(["digits", str(data), str(tmp_path)]) == 0
    assert one_case.is_done("digits", data, tmp_path)
    assert (tmp_path / "row.json").read_bytes() == b"as it was"  # what is there is not made again
    found = one_case.read_gate(tmp_path)
    assert set(found.variants) == {*ALL_VARIANTS, "tflite", "onnx"}
    assert found.variants["tflite"].outcome == "left_out"
    assert found.variants["tflite"].reason == "the source is no .tflite file"
    bundle = Bundle.open(tmp_path / "judged.edge")
    kept = {variant.name: variant for variant in bundle.manifest.variants}
    assert {name for name, item in found.variants.items() if item.outcome == "passed"} == set(kept)
    assert kept["tflite-float32"].metric == found.variants["tflite-float32"].metric
    assert kept["tflite-float32"].drop == found.variants["tflite-float32"].drop
    assert found.source.n == len(list((tmp_path / "evaluation").rglob("*.png")))
    assert found.max_drop == 0.01


def test_a_model_of_which_nothing_passes_is_told_of_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metric = Metric(name="accuracy", value=0.5, n=10)
    worse = VariantReport(name="tflite-int8", outcome="refused", reason="x.keras drops", metric=metric)
    source = VariantReport(name="float source", outcome="passed", metric=metric)

    def refuse(_request: Any, _progress: Any, show: Any) -> None:
        show(SimpleNamespace(source=source, variants=[worse], max_drop=0.01), [])
        raise GateRefusedError("no variant may be used")

    monkeypatch.setattr(gate, "run_conversion", refuse)
    labelled = Labelled(tmp_path, tmp_path, "digits")
    found = gate.ask_gate(Prepared((Path("x.keras"),), Path("x.toml"), (), (), labelled), tmp_path)
    assert found.variants["tflite-int8"].outcome == "refused"
    assert found.variants["tflite-int8"].reason == "the source drops"


def test_the_forest_is_judged_on_recordings_that_its_head_was_not_trained_on(
    shared_data: Path, tmp_path: Path
) -> None:
    labelled = forest_sounds(tmp_path, shared_data)
    labels = ("chainsaw", "engine", "gunshot", "storm")
    split_of = {clip.sha256: clip.split for clip in read_splits()}
    labels_of = {clip.sha256: clip.labels for clip in read_splits()}
    judging = read_dataset(labelled.evaluation, labels)
    calibrating = read_dataset(labelled.calibration, labels)
    assert {split_of[clip.sha256] for clip in judging.clips} == {TEST}
    assert TEST not in {split_of[clip.sha256] for clip in calibrating.clips}
    for clip in (*judging.clips, *calibrating.clips):
        assert clip.labels == labels_of[clip.sha256]
    assert judging.covered == calibrating.covered == labels


def test_yamnet_is_judged_on_chainsaws_against_all_else(shared_data: Path, tmp_path: Path) -> None:
    labelled = chainsaws(tmp_path, shared_data)
    judging = read_dataset(labelled.evaluation, ("speech", "chainsaw")).clips
    with_one = [clip.name for clip in judging if clip.labels]
    assert (len(judging), len(with_one)) == (80, 8)
    assert all("008_Chainsaw" in name for name in with_one)

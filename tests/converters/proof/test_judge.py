"""The gate: what it looks at, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from labelled_sounds import spec_text

from converters.data.dataset import Clip, Dataset
from converters.proof.answers import Answers
from converters.proof.golden import choose_places, indistinct_labels, measured_tolerance
from converters.proof.judge import ClassJudge
from converters.proof.scoring import Scores, WindowPlace
from converters.proof.verdict import SOURCE, Verdict
from converters.spec.conversion_spec import ConversionSpec
from converters.spec.spec_file import load_spec
from edge_sdk.errors import DatasetError

LABELS = ("saw", "shot")
TRUTH = [{"saw"}] * 10 + [{"shot"}] * 10 + [set[str]()] * 80


@pytest.fixture
def spec(tmp_path: Path) -> ConversionSpec:
    (tmp_path / "spec.toml").write_text(spec_text())
    return load_spec(tmp_path / "spec.toml")


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    clips = [
        Clip(f"clip-{index:02}.wav", tmp_path, frozenset(labels), f"{index:064x}", 1.0)
        for index, labels in enumerate(TRUTH)
    ]
    return Dataset(tmp_path, LABELS, tuple(clips))


def perfect(dataset: Dataset) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.where(dataset.truth, 0.9, 0.1).astype(np.float32)


def scores(clips: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> Scores:
    places = tuple(WindowPlace(index, 0) for index in range(len(clips)))
    return Scores(places, clips, clips)


def judged(judge: ClassJudge, source: Scores, variant: Scores) -> Verdict:
    answers: Answers[Scores] = Answers(judge)
    answers.keep({SOURCE: source, "variant": variant})
    return answers.verdict("variant")


def test_the_metric_is_the_share_of_clips_right_in_every_label(
    spec: ConversionSpec, dataset: Dataset
) -> None:
    wrong = perfect(dataset)
    wrong[0, 0] = 0.2
    wrong[1] = 0.2, 0.8  # two labels wrong are one clip wrong
    metric = ClassJudge(spec, dataset, 0.01).figures(scores(wrong)).metric
    assert (metric.name, metric.value, metric.n) == ("exact_match", 0.98, 100)
    assert metric.low is not None
    assert metric.low < 0.98


def test_an_equal_variant_passes(spec: ConversionSpec, dataset: Dataset) -> None:
    same = scores(perfect(dataset))
    verdict = judged(ClassJudge(spec, dataset, 0.0), same, same)
    assert (verdict.refusal, verdict.drop, verdict.agreement) == ("", 0.0, 1.0)
    assert verdict.worst_label_drop == 0.0


def test_a_drop_of_exactly_the_budget_passes_and_more_does_not(
    spec: ConversionSpec, dataset: Dataset
) -> None:
    for wrong, passes in ((1, True), (2, False)):
        variant = perfect(dataset)
        variant[20 : 20 + wrong, 0] = 0.6  # background heard as a saw
        verdict = judged(ClassJudge(spec, dataset, 0.01), scores(perfect(dataset)), scores(variant))
        assert verdict.drop == pytest.approx(wrong / 100)
        assert (verdict.refusal == "") is passes
    assert "the metric drops by 0.0200 (100 to 98 of 100), more than 0.01" in verdict.refusal


def test_one_label_that_drops_is_enough_though_the_whole_does_not(
    spec: ConversionSpec, dataset: Dataset
) -> None:
    source, variant = perfect(dataset), perfect(dataset)
    variant[12, 1] = 0.4
    source[30, 0] = 0.6  # the variant is better elsewhere
    verdict = judged(ClassJudge(spec, dataset, 0.01), scores(source), scores(variant))
    assert verdict.drop == pytest.approx(0.0)
    assert verdict.worst_label == "shot"
    assert verdict.worst_label_drop == pytest.approx(0.05)  # recall 1.0 to 0.9, specificity unchanged
    assert "'shot' drops by 0.0500 (recall 10 to 9 of 10), more than 0.01" in verdict.refusal
    assert "clip-12.wav" in verdict.refusal


def test_clips_that_are_decided_otherwise_are_named_before_those_that_only_moved(
    spec: ConversionSpec, dataset: Dataset
) -> None:
    variant = perfect(dataset)
    variant[50, 0] = 0.45  # moved far, decided alike
    variant[5, 0] = 0.49  # decided otherwise
    notes = judged(ClassJudge(spec, dataset, 0.01), scores(perfect(dataset)), scores(variant)).furthest
    assert [note.sample for note in notes[:2]] == ["clip-05.wav", "clip-50.wav"]
    assert [note.flipped for note in notes[:2]] == [True, False]
    assert (notes[0].label, notes[0].threshold) == ("saw", 0.5)


def test_labels_without_clips_are_not_judged(spec: ConversionSpec, tmp_path: Path) -> None:
    clips = (
        Clip("a.wav", tmp_path, frozenset({"saw"}), "0" * 64, 1.0),
        Clip("b.wav", tmp_path, frozenset(), "1" * 64, 1.0),
    )
    dataset = Dataset(tmp_path, LABELS, clips)
    found = scores(np.array([[0.9, 0.9], [0.1, 0.9]], dtype=np.float32))
    figures = ClassJudge(spec, dataset, 0.01).figures(found)
    assert figures.metric.value == 1.0
    assert [label.label for label in figures.labels] == ["saw"]


def test_golden_windows_cover_every_label_and_background(dataset: Dataset) -> None:
    windows = perfect(dataset)
    windows[3, 0], windows[17, 1], windows[60] = 0.99, 0.95, 0.01
    windows[40, 1] = 0.49  # nearest to a decision
    places = choose_places(dataset, scores(windows), {})
    assert [place.sample for place in places[:4]] == [3, 17, 60, 40]
    assert len(places) == 8
    assert len({place.sample for place in places}) == 8


def test_labels_that_golden_samples_cannot_tell_apart_are_found() -> None:
    expected = np.array([[0.9, 0.1, 0.1], [0.1, 0.1, 0.11]], dtype=np.float32)
    assert list(indistinct_labels(("a", "b", "c"), expected, bound=0.05)) == [("b", "c")]
    assert list(indistinct_labels(("a", "b", "c"), expected, bound=0.005)) == []


def test_the_bound_is_measured_and_never_below_a_rounding_step() -> None:
    reference = np.zeros((2, 2), dtype=np.float32)
    assert measured_tolerance("float32", [reference, reference]).bound == 1e-3
    off = measured_tolerance("int8", [reference, reference + 0.05, reference])
    assert off.bound == pytest.approx(0.1)
    assert not off.contradicted


def test_kernels_further_apart_than_any_bound_are_not_all_right() -> None:
    reference = np.zeros((2, 2), dtype=np.float32)
    near = measured_tolerance("int8", [reference, reference + 0.19])
    assert (near.bound, near.contradicted) == (0.2, False)
    far = measured_tolerance("int8", [reference, reference + 0.21])
    assert (far.bound, far.contradicted) == (0.2, True)


@pytest.fixture
def exclusive(tmp_path: Path) -> ConversionSpec:
    (tmp_path / "spec.toml").write_text(spec_text().replace("[model]", "[model]\nexclusive = true"))
    return load_spec(tmp_path / "spec.toml")


def test_of_exclusive_labels_the_highest_is_judged_whatever_its_threshold(
    dataset: Dataset, exclusive: ConversionSpec
) -> None:
    labelled = Dataset(dataset.root, LABELS, dataset.clips[:20])
    judge = ClassJudge(exclusive, labelled, 0.01)
    found = np.where(labelled.truth, 0.3, 0.1).astype(np.float32)
    metric = judge.figures(scores(found)).metric
    assert (metric.name, metric.value) == ("accuracy", 1.0)
    assert [label.threshold for label in judge.figures(scores(found)).labels] == [None, None]
    worse = found.copy()
    worse[0] = worse[0, ::-1]
    verdict = judged(judge, scores(found), scores(worse))
    assert verdict.worst_label == "saw"
    assert verdict.furthest[0].threshold is None
    assert verdict.worst_label_drop == pytest.approx(0.1)
    # One sample of twenty gets another first answer, whatever the number of labels.
    assert verdict.agreement == pytest.approx(0.95)


def test_where_one_label_always_wins_background_is_no_mistake(
    dataset: Dataset, exclusive: ConversionSpec
) -> None:
    figures = ClassJudge(exclusive, dataset, 0.01).figures(scores(perfect(dataset)))
    assert (figures.metric.value, figures.metric.n) == (1.0, 20)
    assert figures.labels[0].label == "saw"
    assert figures.labels[0].recall.n == 10


def test_a_sample_with_two_labels_cannot_judge_a_model_that_gives_one(
    dataset: Dataset, exclusive: ConversionSpec, tmp_path: Path
) -> None:
    both = Clip("both.wav", tmp_path, frozenset({"saw", "shot"}), "f" * 64, 1.0)
    with pytest.raises(DatasetError, match=r"both\.wav in .* is saw and shot, but"):
        ClassJudge(exclusive, Dataset(tmp_path, LABELS, (*dataset.clips, both)), 0.01)


def test_a_sample_agrees_where_all_its_decisions_do(spec: ConversionSpec, dataset: Dataset) -> None:
    variant = perfect(dataset)
    variant[0] = variant[0, ::-1]  # two decisions
    variant[50, 0] = 0.8  # one
    verdict = judged(ClassJudge(spec, dataset, 0.5), scores(perfect(dataset)), scores(variant))
    assert verdict.agreement == pytest.approx(0.98)

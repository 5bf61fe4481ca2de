from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from edge_sdk.metrics.classification import correct_clips, decide, label_metrics, roc_auc

LABELS = ("chainsaw", "gunshot")


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=2, max_size=60))
def test_auc_equals_scikit_learn_also_with_ties(samples: list[tuple[bool, int]]) -> None:
    truth = np.array([positive for positive, _ in samples])
    scores = np.array([score / 8 for _, score in samples])
    if truth.all() or not truth.any():
        assert roc_auc(truth, scores) is None
    else:
        assert roc_auc(truth, scores) == pytest.approx(roc_auc_score(truth, scores), abs=1e-12)


def test_independent_labels_are_decided_each_at_its_own_threshold() -> None:
    scores = np.array([[0.9, 0.6], [0.7, 0.2]])
    decided = decide(scores, {"chainsaw": 0.8}, LABELS, exclusive=False)
    assert decided.tolist() == [[True, True], [False, False]]


def test_of_exclusive_labels_the_highest_wins() -> None:
    scores = np.array([[0.3, 0.2], [0.1, 0.15]])
    assert decide(scores, {}, LABELS, exclusive=True).tolist() == [[True, False], [False, True]]


def test_no_clips_give_no_decisions() -> None:
    assert decide(np.zeros((0, 2)), {}, LABELS, exclusive=True).shape == (0, 2)


def test_figures_of_a_label_are_counted_from_its_clips() -> None:
    truth = np.array([[True, False], [True, False], [False, False], [False, True], [False, False]])
    scores = np.array([[0.9, 0.1], [0.4, 0.1], [0.6, 0.1], [0.2, 0.9], [0.1, 0.1]])
    chainsaw, gunshot = label_metrics(LABELS, truth, scores >= 0.5, scores)
    assert (chainsaw.recall.hits, chainsaw.recall.n) == (1, 2)
    assert (chainsaw.precision.hits, chainsaw.precision.n) == (1, 2)
    assert (chainsaw.specificity.hits, chainsaw.specificity.n) == (2, 3)
    assert chainsaw.balanced_accuracy == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert chainsaw.auc == pytest.approx(5 / 6)
    assert gunshot.auc == 1.0
    assert gunshot.recall.interval.low == pytest.approx(0.025)


def test_a_label_without_clips_has_no_balanced_accuracy_and_no_auc() -> None:
    truth = np.array([[False, True], [False, True]])
    chainsaw, gunshot = label_metrics(LABELS, truth, truth, truth.astype(float))
    assert (chainsaw.balanced_accuracy, chainsaw.auc, chainsaw.recall.value) == (None, None, None)
    assert gunshot.balanced_accuracy == 1.0  # of what is known: there are no clips without it
    assert gunshot.auc_interval is None


def test_a_clip_is_right_only_if_every_label_is() -> None:
    truth = np.array([[True, False], [True, True]])
    decided = np.array([[True, False], [True, False]])
    share = correct_clips(truth, decided)
    assert (share.hits, share.n, share.value) == (1, 2, 0.5)

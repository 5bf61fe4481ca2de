"""Outputs of a classifier become scores, and a fault never becomes a low score."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edge_sdk.contract.manifest import Activation, ClassesOutput
from edge_sdk.contract.values import Float32Array
from edge_sdk.decode.classes import decode_classes
from edge_sdk.errors import BackendError

logits = hnp.arrays(np.float32, st.integers(1, 20), elements=st.floats(-(2.0**99), 2.0**99, width=32))
shares = hnp.arrays(np.float32, st.integers(1, 20), elements=st.floats(0, 1, width=32))


def decoded(raw: list[float], activation: Activation) -> list[float]:
    values = np.array(raw, dtype=np.float32)
    return [float(score) for score in decode_classes(values, ClassesOutput(activation=activation), len(raw))]


def test_none_takes_scores_as_they_are() -> None:
    assert decoded([0.0, 0.25, 1.0], "none") == [0.0, 0.25, 1.0]


def test_scores_a_rounding_step_outside_are_limited() -> None:
    assert decoded([-0.004, 1.004], "none") == [0.0, 1.0]


@pytest.mark.parametrize(
    ("raw", "said"), [([0.5, 1.2], "output 1 is 1.2"), ([-3.5, 0.1], "output 0 is -3.5")]
)
def test_logits_are_never_taken_for_scores(raw: list[float], said: str) -> None:
    with pytest.raises(BackendError, match=f"{said}, which is no score") as caught:
        decoded(raw, "none")
    assert "activation" in (caught.value.hint or "")


def test_sigmoid_is_the_logistic_function() -> None:
    expected = [1 / (1 + np.exp(-x)) for x in (-3.0, 0.0, 2.5)]
    assert decoded([-3.0, 0.0, 2.5], "sigmoid") == pytest.approx(expected, abs=1e-7)


def test_softmax_shares_out_one() -> None:
    weights = np.exp([1.0, 2.0, -4.0])
    assert decoded([1.0, 2.0, -4.0], "softmax") == pytest.approx(weights / weights.sum(), abs=1e-7)


@given(raw=logits | shares, activation=st.sampled_from(["none", "sigmoid", "softmax"]))
def test_any_finite_output_gives_scores_and_keeps_its_order(
    raw: Float32Array, activation: Activation
) -> None:
    before = raw.copy()
    if activation == "none" and (raw.min() < -0.01 or raw.max() > 1.01):
        with pytest.raises(BackendError, match="no score"):
            decode_classes(raw, ClassesOutput(activation=activation), len(raw))
        return
    scores = decode_classes(raw, ClassesOutput(activation=activation), len(raw))
    assert scores.dtype == np.float32
    assert ((scores >= 0) & (scores <= 1)).all()
    order = np.argsort(raw, kind="stable")
    assert (np.diff(scores[order]) >= -1e-7).all()
    np.testing.assert_array_equal(raw, before)


@pytest.mark.parametrize("activation", ["none", "sigmoid", "softmax"])
@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_output_that_is_no_number_is_an_error(activation: Activation, broken: float) -> None:
    with pytest.raises(BackendError, match=r"output 1 is .*, not a finite number"):
        decoded([0.5, broken], activation)


def test_batch_axis_is_no_label() -> None:
    raw = np.array([[0.25, 0.75]], dtype=np.float32)
    assert decode_classes(raw, ClassesOutput(), 2).tolist() == [0.25, 0.75]


@pytest.mark.parametrize("n_labels", [1, 3])
def test_wrong_number_of_outputs_names_both_numbers(n_labels: int) -> None:
    with pytest.raises(BackendError, match=rf"2 outputs of shape \[1, 2\] for {n_labels} labels"):
        decode_classes(np.zeros((1, 2), dtype=np.float32), ClassesOutput(), n_labels)

"""What can be read from a model is held against the spec."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from labelled_sounds import spec_text
from tiny_models import tiny_onnx

from converters.sources.model_check import check_outputs, check_score_range, fit_window
from converters.sources.ready_source import open_ready
from converters.sources.source_model import FinalActivation, SourceModel
from converters.spec.conversion_spec import ConversionSpec
from converters.spec.spec_file import load_spec
from edge_sdk.contract.values import Array, TensorSpec
from edge_sdk.errors import SpecError


def spec_of(folder: Path, *, model: str = 'activation = "none"', log_mel: bool = True) -> ConversionSpec:
    (folder / "spec.toml").write_text(spec_text(log_mel=log_mel).replace('activation = "sigmoid"', model))
    return load_spec(folder / "spec.toml")


class Answering:
    """A backend that always gives the same."""

    def __init__(self, answer: list[float]) -> None:
        self.inputs = (TensorSpec("mel", (1, 97, 24), "float32"),)
        self.outputs = (TensorSpec("scores", (1, len(answer)), "float32"),)
        self._answer = np.array([answer], dtype=np.float32)

    def infer(self, tensors: Any) -> dict[str, Array]:
        return {"scores": self._answer}


def source_of(answer: list[float], ends_in: FinalActivation = "other") -> SourceModel:
    backend: Any = Answering(answer)
    return SourceModel("model.keras", (), backend, backend.inputs[0], backend.outputs, ends_in)


@pytest.mark.parametrize("shape", [(1, 97, 24), (None, 97, 24, 1), (None, None, 24), (1, 1, 97, 24)])
def test_a_window_fits_whatever_axes_of_one_there_are(tmp_path: Path, shape: tuple[int | None, ...]) -> None:
    fitted = fit_window(spec_of(tmp_path), TensorSpec("mel", shape, "float32"))
    assert [extent for extent in fitted if extent != 1] == [97, 24]
    assert len(fitted) == len(shape)


@pytest.mark.parametrize(
    ("log_mel", "shape", "hint"),
    [
        (True, (1, 96, 24), "window_samples from 7856 to 7935"),
        (True, (1, 8000), "leave out [audio.log_mel]"),
        (True, (1, 24, 97), "layout"),
        (False, (1, 16000), "window_samples = 16000 (2 s)"),
        (False, (1, 97, 24), "add [audio.log_mel]"),
    ],
)
def test_a_window_that_does_not_fit_says_what_the_model_wants(
    tmp_path: Path, *, log_mel: bool, shape: tuple[int, ...], hint: str
) -> None:
    with pytest.raises(SpecError) as caught:
        fit_window(spec_of(tmp_path, log_mel=log_mel), TensorSpec("x", shape, "float32"))
    assert hint in (caught.value.hint or "")


def test_integer_input_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="only float32 input"):
        fit_window(spec_of(tmp_path), TensorSpec("mel", (1, 97, 24), "uint8"))


def test_another_number_of_outputs_than_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="has 3 outputs, the spec has 2 labels"):
        check_outputs(spec_of(tmp_path), source_of([0.1, 0.2, 0.3]))


def test_no_activation_is_applied_twice(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, model='activation = "sigmoid"')
    check_outputs(spec, source_of([0.1, 0.2]))
    with pytest.raises(SpecError, match="would apply sigmoid on top"):
        check_outputs(spec, source_of([0.1, 0.2], "softmax"))


def test_a_softmax_makes_labels_exclusive(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="exclusive = false"):
        check_outputs(spec_of(tmp_path), source_of([0.1, 0.9], "softmax"))
    exclusive = spec_of(tmp_path, model='activation = "none"\nexclusive = true')
    check_outputs(exclusive, source_of([0.1, 0.9], "softmax"))


def test_logits_that_pass_for_scores_are_refused(tmp_path: Path) -> None:
    window = np.zeros((97, 24), dtype=np.float32)
    check_score_range(spec_of(tmp_path), source_of([0.0, 1.0]), [window])
    for logits in ([-0.5, 0.5], [0.5, 3.0]):
        with pytest.raises(SpecError, match=r"no scores of 0\.\.1"):
            check_score_range(spec_of(tmp_path), source_of(logits), [window])
        check_score_range(spec_of(tmp_path, model='activation = "sigmoid"'), source_of(logits), [window])


def test_the_last_operation_of_an_onnx_graph_is_read(tmp_path: Path) -> None:
    weights = np.zeros((2, 97 * 24), dtype=np.float32)
    (tmp_path / "a.onnx").write_bytes(tiny_onnx(weights, np.zeros(2, dtype=np.float32), (1, 97, 24)))
    opened = open_ready(tmp_path / "a.onnx", "", "", lambda spec: (1, 97, 24))
    assert opened.final_activation == "sigmoid"

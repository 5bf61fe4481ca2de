"""A model and its manifest fit each other, or are refused before a sound is heard."""

from __future__ import annotations

import msgspec
import pytest
from tiny_bundle import LABELS, LOG_MEL, audio_input
from tones_backend import FRAMES, MELS, tones_backend

from edge_sdk.contract.audio import FrontEnd
from edge_sdk.contract.manifest import ClassesOutput
from edge_sdk.contract.values import TensorSpec
from edge_sdk.errors import ModelError, UsageError
from edge_sdk.inference.scorer import AudioScorer
from edge_sdk.inference.tensor_fit import fit_shape


@pytest.mark.parametrize(
    ("model", "features", "tensor"),
    [
        ((1, 96, 64), (96, 64), (1, 96, 64)),
        ((1, 96, 64, 1), (96, 64), (1, 96, 64, 1)),
        ((1, 1, 96, 64), (96, 64), (1, 1, 96, 64)),
        ((None, 96, 64), (96, 64), (1, 96, 64)),
        ((None, None, 64), (96, 64), (1, 96, 64)),
        ((None, 96, None, None), (96, 64), (1, 96, 1, 64)),
        ((96, 64), (96, 64), (96, 64)),
        ((1, 15_600), (15_600,), (1, 15_600)),
        ((15_600,), (15_600,), (15_600,)),
        ((None,), (15_600,), (15_600,)),
        ((None, 1), (1,), (1, 1)),
    ],
)
def test_axes_of_one_are_added_where_a_model_wants_them(
    model: tuple[int | None, ...], features: tuple[int, ...], tensor: tuple[int, ...]
) -> None:
    assert fit_shape(TensorSpec("x", model, "float32"), features) == tensor


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        ((1, 64, 96), "layout"),
        ((1, 64, 96, 1), "layout"),
        ((1, 96, 65), "parameters"),
        ((1, 6_144), "parameters"),
    ],
)
def test_other_shapes_are_refused_with_both_named(model: tuple[int, ...], hint: str) -> None:
    with pytest.raises(ModelError, match=r"takes 'x' float32 .* makes \[96, 64\]") as caught:
        fit_shape(TensorSpec("x", model, "float32"), (96, 64))
    assert hint in str(caught.value.hint)


def test_model_with_another_number_of_labels_is_refused() -> None:
    with pytest.raises(ModelError, match=r"gives 'scores' float32 \[1, 3\], but there are 2 labels"):
        AudioScorer(audio_input(), ClassesOutput(), LABELS[:2], tones_backend())


def test_transposed_front_end_is_refused_before_work_starts() -> None:
    turned: FrontEnd = msgspec.structs.replace(LOG_MEL, layout="mel_time")
    with pytest.raises(ModelError, match=rf"makes \[{MELS}, {FRAMES}\]"):
        AudioScorer(audio_input(turned), ClassesOutput(), LABELS, tones_backend())


@pytest.mark.parametrize(
    ("input_name", "output_name", "message"),
    [("other", "", "one tensor 'other'"), ("", "other", "output 'other'")],
)
def test_names_that_the_model_does_not_have_are_refused(
    input_name: str, output_name: str, message: str
) -> None:
    audio = msgspec.structs.replace(audio_input(), name=input_name)
    with pytest.raises(ModelError, match=message):
        AudioScorer(audio, ClassesOutput(name=output_name), LABELS, tones_backend())


def test_step_that_does_not_fit_the_hop_is_refused() -> None:
    audio = msgspec.structs.replace(audio_input(), step_samples=700)
    with pytest.raises(UsageError, match=r"640 samples .* or 800 samples"):
        AudioScorer(audio, ClassesOutput(), LABELS, tones_backend())

"""Sound becomes scores: the same whatever the blocks, and at positions that never drift."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_bundle import LABELS, RATE, STEP, WAVEFORM, WINDOW, audio_input, tone
from tiny_models import INPUT, tiny_onnx
from tones_backend import FRAMES, MELS, tones_backend

from edge_sdk.contract.manifest import ClassesOutput
from edge_sdk.contract.values import AudioBlock, Float32Array, Gap, TensorSpec, WindowScores
from edge_sdk.errors import BackendError, InputError, SourceError
from edge_sdk.inference.backend import Backend
from edge_sdk.inference.label_scores import LabelScores
from edge_sdk.inference.open import open_backend
from edge_sdk.inference.scorer import AudioScorer
from edge_sdk.inference.timeline import Timeline

if TYPE_CHECKING:
    from typing_extensions import Self


def waveform_backend() -> Backend:
    weights = np.random.default_rng(3).normal(scale=0.1, size=(3, WINDOW)).astype(np.float32)
    return open_backend(tiny_onnx(weights, np.zeros(3, dtype=np.float32), (1, WINDOW)), "onnx")


def log_mel_scorer() -> AudioScorer:
    return AudioScorer(audio_input(), ClassesOutput(), LABELS, tones_backend())


def waveform_scorer() -> AudioScorer:
    return AudioScorer(audio_input(WAVEFORM), ClassesOutput(), LABELS, waveform_backend())


SCORERS = {"log_mel": log_mel_scorer(), "waveform": waveform_scorer()}
SOUND = np.concatenate([tone(300, 1.0), tone(2_500, 0.8), tone(500, 0.33, level=0.01)])


@pytest.fixture(params=sorted(SCORERS))
def scorer(request: pytest.FixtureRequest) -> AudioScorer:
    chosen = SCORERS[request.param]
    chosen.reset()
    return chosen


def streamed(
    scorer: AudioScorer, sound: Float32Array, cuts: list[int], rate_hz: int = RATE
) -> list[WindowScores]:
    windows: list[WindowScores] = []
    for part in np.split(sound, sorted(cuts)):
        windows += scorer.push(AudioBlock(part, rate_hz))
    return [*windows, *scorer.finish()]


# --- streaming ---


@pytest.mark.parametrize("name", sorted(SCORERS))
@given(cuts=st.lists(st.integers(0, len(SOUND)), max_size=12))
def test_blocks_of_any_size_give_what_each_window_gives_on_its_own(name: str, cuts: list[int]) -> None:
    scorer = SCORERS[name]
    scorer.reset()
    windows = streamed(scorer, SOUND, cuts)
    last = len(SOUND) - WINDOW
    assert last % STEP
    assert [window.start for window in windows] == [*range(0, last, STEP), last]
    for window in windows:
        assert window.stop - window.start == WINDOW
        alone = scorer.score_window(SOUND[window.start : window.stop])
        np.testing.assert_allclose(list(window.scores.values()), alone, atol=1e-5)
        assert list(window.scores) == list(LABELS)


@pytest.mark.parametrize(
    ("samples", "starts"),
    [
        (WINDOW - 1, []),
        (WINDOW, [0]),
        (WINDOW + RATE // 50, [0]),  # less than 20 ms more is worth no window
        (WINDOW + RATE // 50 + 1, [0, RATE // 50 + 1]),
        (WINDOW + STEP - 1, [0, STEP - 1]),
        (WINDOW + STEP, [0, STEP]),
        (WINDOW + STEP + 500, [0, STEP, STEP + 500]),
    ],
)
def test_the_last_window_ends_with_the_sound(scorer: AudioScorer, samples: int, starts: list[int]) -> None:
    assert [window.start for window in streamed(scorer, SOUND[:samples], [])] == starts
    assert list(scorer.finish()) == []


def test_level_is_that_of_the_window(scorer: AudioScorer) -> None:
    (window,) = streamed(scorer, tone(1_000, 0.5, level=1.0), [])
    assert window.level_dbfs == pytest.approx(-3.01, abs=0.01)
    scorer.reset()
    (silence,) = streamed(scorer, np.zeros(WINDOW, dtype=np.float32), [])
    assert silence.level_dbfs == -np.inf


@given(cuts=st.lists(st.integers(0, 2 * 44_100), max_size=6))
def test_resampled_sound_gives_the_same_scores_in_any_blocks(cuts: list[int]) -> None:
    scorer = SCORERS["log_mel"]
    sound = np.concatenate([tone(300, 1.2, rate_hz=44_100), tone(2_500, 0.8, rate_hz=44_100)])
    scorer.reset()
    whole = streamed(scorer, sound, [], 44_100)
    scorer.reset()
    assert streamed(scorer, sound, cuts, 44_100) == whole
    assert len(whole) == 1 + (2 * RATE - WINDOW) // STEP
    assert whole[0].scores["low"] > 0.9
    assert whole[-1].scores["high"] > 0.8


def test_scores_do_not_depend_on_the_rate_that_a_recorder_used() -> None:
    by_rate = []
    for rate_hz in (RATE, 16_000, 44_100, 48_000):
        scorer = log_mel_scorer()
        by_rate.append(
            [w.scores["low"] for w in streamed(scorer, tone(300, 1.5, rate_hz=rate_hz), [], rate_hz)]
        )
    np.testing.assert_allclose(by_rate[1:], [by_rate[0]] * 3, atol=0.02)


def test_windows_run_on_where_the_rate_changes_without_a_gap() -> None:
    scorer = log_mel_scorer()
    windows = list(scorer.push(AudioBlock(tone(300, 0.7, rate_hz=44_100), 44_100)))
    windows += scorer.push(AudioBlock(tone(300, 0.7), RATE))
    windows += scorer.finish()
    assert [window.start for window in windows] == list(range(0, round(1.4 * RATE) - WINDOW + 1, STEP))
    assert min(window.scores["low"] for window in windows) > 0.9


# --- gaps and positions ---


def test_windows_after_a_gap_begin_with_the_first_sample_behind_it(scorer: AudioScorer) -> None:
    list(scorer.push(AudioBlock(SOUND[: WINDOW + 200], RATE)))
    assert [window.start for window in scorer.push(Gap(1_001, RATE, "overrun"))] == [200]
    assert scorer.position == WINDOW + 1_201
    (window,) = scorer.push(AudioBlock(SOUND[:WINDOW], RATE))
    assert window.start == WINDOW + 1_201
    alone = scorer.score_window(SOUND[:WINDOW])
    np.testing.assert_allclose(list(window.scores.values()), alone, atol=1e-5)


def test_a_gap_ends_what_the_resampler_held_back() -> None:
    scorer = log_mel_scorer()
    sound = tone(300, 0.6, rate_hz=44_100)
    before = list(scorer.push(AudioBlock(sound, 44_100)))
    tail = list(scorer.push(Gap(100, 44_100, "overrun")))
    assert [window.start for window in before + tail] == [0, STEP]


def test_positions_do_not_drift_over_a_thousand_gaps() -> None:
    scorer = waveform_scorer()
    elapsed = Fraction(0)
    block = np.zeros(4_411, dtype=np.float32)
    for _ in range(1_000):
        list(scorer.push(AudioBlock(block, 44_100)))
        list(scorer.push(Gap(777, 48_000, "overrun")))
        elapsed += Fraction(4_411, 44_100) + Fraction(777, 48_000)
    assert scorer.position == int(elapsed * RATE)
    (first, *_) = scorer.push(AudioBlock(np.zeros(44_100, dtype=np.float32), 44_100))
    assert first.start == round(elapsed * RATE)


@given(
    parts=st.lists(
        st.tuples(st.integers(0, 5_000), st.sampled_from([8_000, 11_025, 44_100, 48_000])), max_size=50
    )
)
def test_timeline_counts_exactly(parts: list[tuple[int, int]]) -> None:
    timeline = Timeline(RATE)
    for samples, rate_hz in parts:
        timeline.advance(samples, rate_hz)
    exact = sum((Fraction(samples, rate_hz) for samples, rate_hz in parts), Fraction(0)) * RATE
    assert timeline.position == int(exact)
    assert timeline.nearest == round(exact)


# --- what must not pass as silence ---


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 57, 99])
def test_sample_that_is_no_number_is_an_error_and_never_a_score(
    scorer: AudioScorer, broken: float, place: int
) -> None:
    samples = np.zeros(100, dtype=np.float32)
    samples[place] = broken
    with pytest.raises(SourceError, match=f"sample {place} of a block of 100 is"):
        scorer.push(AudioBlock(samples, RATE))


class BrokenBackend:
    """Answers with something that is no number."""

    inputs = (TensorSpec(INPUT, (1, FRAMES, MELS), "float32"),)
    outputs = (TensorSpec("scores", (1, 3), "float32"),)

    def infer(self, tensors: object) -> dict[str, Float32Array]:
        return {"scores": np.array([[0.1, np.nan, 0.1]], dtype=np.float32)}

    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None: ...


def test_answer_that_is_no_number_is_an_error_and_the_next_window_is_still_scored() -> None:
    scorer = AudioScorer(audio_input(), ClassesOutput(), LABELS, BrokenBackend())
    windows = scorer.push(AudioBlock(SOUND[: WINDOW + STEP], RATE))
    for _ in range(2):
        with pytest.raises(BackendError, match="output 1 is nan"):
            next(windows)


@pytest.mark.parametrize("samples", [np.zeros(WINDOW - 1), np.zeros((1, WINDOW)), np.full(WINDOW, np.nan)])
def test_window_of_another_shape_or_without_numbers_is_refused(
    scorer: AudioScorer, samples: Float32Array
) -> None:
    with pytest.raises(InputError, match="4000 finite samples"):
        scorer.score_window(samples.astype(np.float32))


def test_calibration_feeds_the_model_what_the_stream_feeds_it() -> None:
    fed: list[Float32Array] = []
    backend = tones_backend()

    class Listening(BrokenBackend):
        def infer(self, tensors: object) -> dict[str, Float32Array]:
            assert isinstance(tensors, dict)
            fed.append(tensors[INPUT].copy())
            return dict(backend.infer(tensors))

    scorer = AudioScorer(audio_input(), ClassesOutput(), LABELS, Listening())
    list(scorer.push(AudioBlock(SOUND, RATE)))
    for index, tensor in enumerate(fed):
        alone = scorer.tensor_for_window(SOUND[index * STEP : index * STEP + WINDOW])
        assert alone.shape == tensor.shape == (1, FRAMES, MELS)
        np.testing.assert_allclose(alone, tensor, atol=1e-4)


def test_label_scores_read_like_a_dictionary() -> None:
    scores = LabelScores({"a": 0, "b": 1}, np.array([0.25, 0.5], dtype=np.float32))
    assert scores == {"a": 0.25, "b": 0.5}
    assert repr(scores) == "{'a': 0.25, 'b': 0.5}"
    with pytest.raises(KeyError):
        scores["c"]


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    yield
    for scorer in SCORERS.values():
        scorer.reset()

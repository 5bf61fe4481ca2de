"""Golden samples pass on a healthy machine, and fail for every mistake that still gives scores."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from example_contract import npy
from hypothesis import given
from hypothesis import strategies as st
from tiny_bundle import LABELS, LOG_MEL, TinyBundle, audio_input, tiny_bundle, tone_weights
from tiny_models import tiny_onnx

from edge_sdk.contract.audio import FrontEnd, LogMel, feature_shape
from edge_sdk.contract.values import Array, Float32Array
from edge_sdk.errors import BundleError, VerificationError
from edge_sdk.inference.golden import GoldenResult, require_golden, run_golden
from edge_sdk.inference.open import open_backend

VARIANTS = ("tflite-float32", "tflite-int8", "onnx-float32")


@pytest.fixture(scope="module")
def made() -> TinyBundle:
    return tiny_bundle()


def run(made: TinyBundle, variant_name: str = "onnx-float32", model: bytes | None = None) -> GoldenResult:
    """Golden samples of a bundle as it is, or with another model in place of a variant's."""
    variant = made.manifest.variant(variant_name)
    content = made.members[variant.file] if model is None else model
    with open_backend(content, variant.format) as backend:
        return run_golden(made.bundle(), variant_name, backend)


def with_front_end(made: TinyBundle, front_end: FrontEnd) -> TinyBundle:
    return replace(made, manifest=msgspec.structs.replace(made.manifest, inputs=[audio_input(front_end)]))


def onnx_with(weights: Float32Array, bias: Float32Array) -> bytes:
    return tiny_onnx(weights, bias, (1, *feature_shape(LOG_MEL, 4_000)))


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_passes_where_it_was_made(made: TinyBundle, variant: str) -> None:
    result = run(made, variant)
    assert result.passed
    assert result.n == 4
    assert result.max_abs_difference <= result.bound
    assert result.flipped == ()


def test_exchanged_labels_fail(made: TinyBundle) -> None:
    weights, bias = tone_weights()
    result = run(made, model=onnx_with(weights[[1, 0, 2]], bias[[1, 0, 2]]))
    assert not result.passed
    assert {(flip.sample, flip.label_id) for flip in result.flipped} == {
        (0, "low"), (0, "high"), (1, "low"), (1, "high"),
    }  # fmt: skip


@pytest.mark.parametrize(
    "changed",
    [
        msgspec.structs.replace(LOG_MEL, mean=20.0, std=-1.0 * LOG_MEL.mean),
        msgspec.structs.replace(LOG_MEL, mean=LOG_MEL.mean + 1.0),
        msgspec.structs.replace(LOG_MEL, std=LOG_MEL.std * 1.05),
        msgspec.structs.replace(LOG_MEL, power=1.0, scale="log", log_offset=1e-3),
        msgspec.structs.replace(LOG_MEL, mel_scale="htk"),
        msgspec.structs.replace(LOG_MEL, mel_norm="none"),
        msgspec.structs.replace(LOG_MEL, top_db=20.0),
        msgspec.structs.replace(LOG_MEL, db_ref="max"),
        msgspec.structs.replace(LOG_MEL, fmax_hz=3_500.0),
    ],
    ids=["mean and std exchanged", "mean", "std", "logarithm", "scale", "norm", "top_db", "ref", "fmax"],
)
def test_another_front_end_fails(made: TinyBundle, changed: LogMel) -> None:
    assert not run(with_front_end(made, changed)).passed


def test_transposed_spectrogram_fails(made: TinyBundle) -> None:
    """As many frames as bands: no shape can tell that time and frequency were exchanged."""
    square = msgspec.structs.replace(LOG_MEL, n_mels=feature_shape(LOG_MEL, 4_000)[0])
    frames, mels = feature_shape(square, 4_000)
    assert frames == mels
    weights = np.zeros((3, frames, mels), dtype=np.float32)
    weights[0, :, :7] = weights[1, :, 7:] = 0.01
    model = tiny_onnx(weights.reshape(3, -1), np.zeros(3, dtype=np.float32), (1, frames, mels))
    bundle = with_front_end(made, square)
    expected = _scores(bundle, model)
    bundle = with_expected(bundle, expected)
    assert run(bundle, model=model).passed
    turned = with_front_end(bundle, msgspec.structs.replace(square, layout="mel_time"))
    assert not run(turned, model=model).passed


def test_manifest_that_orders_labels_otherwise_than_the_model_file_fails(made: TinyBundle) -> None:
    """Expected scores that were swapped along with the manifest's labels agree, and are still wrong."""
    file = made.manifest.variant("tflite-float32").file
    own = with_label_file(made.members[file], ["high", "low", "loud"])
    swapped = replace(made, members={**made.members, file: own})
    result = run(swapped, "tflite-float32")
    assert result.labels_reordered
    assert not result.passed
    with (
        open_backend(own, "tflite") as backend,
        pytest.raises(VerificationError, match="lists the labels in another order"),
    ):
        require_golden(swapped.bundle(), "tflite-float32", backend)


@pytest.mark.parametrize("own", [["low", "high", "loud"], ["tief", "hoch", "laut"], []])
def test_model_file_with_the_same_or_with_other_labels_passes(made: TinyBundle, own: list[str]) -> None:
    file = made.manifest.variant("tflite-float32").file
    content = with_label_file(made.members[file], own)
    assert run(replace(made, members={**made.members, file: content}), "tflite-float32").passed


def with_label_file(model: bytes, labels: list[str]) -> bytes:
    """As TFLite metadata keeps labels: a zip behind the model."""
    content = io.BytesIO(model)
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr("labels.txt", "\n".join(labels))
    return content.getvalue()


def test_weights_of_another_training_fail(made: TinyBundle) -> None:
    weights, bias = tone_weights()
    noise = np.random.default_rng(0).normal(scale=1e-3, size=weights.shape).astype(np.float32)
    assert not run(made, model=onnx_with(weights + noise, bias)).passed


def test_difference_of_exactly_the_bound_passes_and_more_does_not(made: TinyBundle) -> None:
    variant = made.manifest.variant("onnx-float32")
    expected = _array(made.members[variant.golden.file])
    expected[2, 0] += 0.15
    off = with_expected(made, expected)
    assert run(with_bound(off, 0.1501)).passed
    assert not run(with_bound(off, 0.1499)).passed


def test_no_bound_is_so_wide_that_wrong_answers_pass(made: TinyBundle) -> None:
    """Whatever the bundle says: a bound of 1 would let one answer to everything pass."""
    expected = _array(made.members["golden/onnx-float32.npy"])
    expected[2, 0] += 0.25
    result = run(with_bound(with_expected(made, expected), 1.0))
    assert (result.passed, result.bound, result.flipped) == (False, 0.2, ())


def test_decision_within_the_bound_of_its_threshold_may_differ(made: TinyBundle) -> None:
    """0.865 of sample 1 against a threshold of 0.8: expected just below, within the bound."""
    expected = _array(made.members["golden/onnx-float32.npy"])
    expected[1, 1] = 0.79
    near = with_expected(made, expected)
    assert run(with_bound(near, 0.1)).passed
    strict = run(with_bound(near, 0.005))
    assert [(flip.sample, flip.label_id) for flip in strict.flipped] == [(1, "high")]


def test_failure_names_sample_and_label(made: TinyBundle) -> None:
    expected = _array(made.members["golden/onnx-float32.npy"])
    expected[2, 2] += 0.5
    off = with_expected(made, expected)
    variant = off.manifest.variant("onnx-float32")
    with (
        open_backend(off.members[variant.file], "onnx") as backend,
        pytest.raises(VerificationError, match=r"sample 2, label 'loud', tensor 'scores': off by 0\.5"),
    ):
        require_golden(off.bundle(), "onnx-float32", backend)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no array",
        npy(np.zeros((4, 2), dtype=np.float32)),
        npy(np.zeros((3, 3), dtype=np.float32)),
        npy(np.zeros(12, dtype=np.float32)),
        npy(np.full((4, 3), np.nan, dtype=np.float32)),
        npy(np.zeros((4, 3), dtype=np.float64)),
        npy(np.array([[{}, {}, {}]] * 4, dtype=object)),  # a pickle
    ],
)
def test_expected_scores_that_do_not_fit_are_refused(made: TinyBundle, content: bytes) -> None:
    broken = replace(made, members={**made.members, "golden/onnx-float32.npy": content})
    with pytest.raises(BundleError, match=r"golden/onnx-float32\.npy"):
        run(broken)


def npz(array: Array) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, array)
    return stream.getvalue()


def with_header(header: bytes) -> bytes:
    padded = header.ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded + bytes(64_000)


MADE_UP = {
    "an npz": npz(np.zeros((4, 4_000), np.float32)),
    "58 TiB": with_header(b"{'descr': '<f4', 'fortran_order': False, 'shape': (4000000000, 4000), }"),
    "one row too many": with_header(b"{'descr': '<f4', 'fortran_order': False, 'shape': (5, 4000), }"),
    "negative": with_header(b"{'descr': '<f4', 'fortran_order': False, 'shape': (-4, 4000), }"),
    "objects": with_header(b"{'descr': '|O', 'fortran_order': False, 'shape': (4, 4000), }"),
    "by columns": with_header(b"{'descr': '<f4', 'fortran_order': True, 'shape': (4, 4000), }"),
    "no literal": with_header(b"{'descr': [(((("),
    "nested": with_header(b"(" * 100),
    "nothing": b"",
}


@pytest.mark.parametrize("content", MADE_UP.values(), ids=MADE_UP.keys())
def test_inputs_that_somebody_made_up_are_refused(made: TinyBundle, content: bytes) -> None:
    with pytest.raises(BundleError, match=r"golden/inputs\.npy"):
        run(replace(made, members={**made.members, "golden/inputs.npy": content}))


@given(st.binary(max_size=118), st.sampled_from([b"\x01\x00", b"\x02\x00\x00\x00", b"\x03\x00\x00\x00"]))
def test_any_header_is_refused(made: TinyBundle, header: bytes, version: bytes) -> None:
    size = len(header).to_bytes(len(version), "little")
    content = b"\x93NUMPY" + version[:2] + size + header
    with pytest.raises(BundleError):
        run(replace(made, members={**made.members, "golden/inputs.npy": content}))


def test_inputs_of_another_length_are_refused(made: TinyBundle) -> None:
    content = npy(np.zeros((4, 3_999), dtype=np.float32))
    with pytest.raises(BundleError, match=r"golden/inputs\.npy.*\[n, 4000\].*\[4, 3999\]"):
        run(replace(made, members={**made.members, "golden/inputs.npy": content}))


def with_expected(made: TinyBundle, expected: Float32Array) -> TinyBundle:
    return replace(made, members={**made.members, "golden/onnx-float32.npy": npy(expected)})


def with_bound(made: TinyBundle, bound: float) -> TinyBundle:
    variants = [
        msgspec.structs.replace(variant, golden=msgspec.structs.replace(variant.golden, bound=bound))
        for variant in made.manifest.variants
    ]
    return replace(made, manifest=msgspec.structs.replace(made.manifest, variants=variants))


def _array(content: bytes) -> Float32Array:
    array: Array = np.load(io.BytesIO(content))
    return array


def _scores(made: TinyBundle, model: bytes) -> Float32Array:
    from edge_sdk.inference.scorer import AudioScorer

    with open_backend(model, "onnx", reference_kernels=True) as backend:
        scorer = AudioScorer(made.manifest.audio, made.manifest.classes, LABELS, backend)
        return np.stack([scorer.score_window(window) for window in _array(made.members["golden/inputs.npy"])])

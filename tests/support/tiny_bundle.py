"""A real bundle, small enough to be made anew for every test: three labels of pure tones.

``low`` hears tones below 1 kHz, ``high`` those above, ``loud`` anything loud. The models are those
of :mod:`tiny_models`, the golden samples are made as a converter makes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from example_contract import npy
from tiny_models import tiny_int8_tflite, tiny_onnx, tiny_tflite

from edge_sdk.contract.audio import FrontEnd, LogMel, Waveform, feature_shape
from edge_sdk.contract.bundle import Bundle, file_digest, write_bundle
from edge_sdk.contract.manifest import (
    AudioInput,
    ClassesOutput,
    ExpectedScores,
    Golden,
    Label,
    Manifest,
    Metric,
    ModelFormat,
    Precision,
    Provenance,
    Rule,
    SourceFile,
    Stage,
    Variant,
)
from edge_sdk.contract.values import Float32Array
from edge_sdk.inference.open import open_backend
from edge_sdk.inference.scorer import AudioScorer

RATE = 8_000
WINDOW = 4_000
STEP = 800
LABELS = ("low", "high", "loud")
LOG_MEL = LogMel(
    sample_rate_hz=RATE,
    n_fft=256,
    win_length=256,
    hop=160,
    n_mels=16,
    fmin_hz=50.0,
    fmax_hz=4_000.0,
    center=False,
    top_db=None,
    amin=1e-6,
    mean=-30.0,
    std=20.0,
)
WAVEFORM = Waveform(sample_rate_hz=RATE)
_LOW_BANDS = 7  # up to about 1 kHz

_FORMATS: dict[str, tuple[ModelFormat, Precision]] = {
    "tflite-float32": ("tflite", "float32"),
    "tflite-int8": ("tflite", "int8"),
    "onnx-float32": ("onnx", "float32"),
}


def audio_input(front_end: FrontEnd = LOG_MEL) -> AudioInput:
    """Half a second of 8 kHz sound, every tenth of a second."""
    return AudioInput(sample_rate_hz=RATE, window_samples=WINDOW, step_samples=STEP, front_end=front_end)


def tone_weights() -> tuple[Float32Array, Float32Array]:
    """Weights ``[3, frames * mels]`` and bias ``[3]`` that tell tones apart by where their energy lies."""
    frames, mels = feature_shape(LOG_MEL, WINDOW)
    low = np.full((frames, mels), -1.0 / (mels - _LOW_BANDS))
    low[:, :_LOW_BANDS] = 1.0 / _LOW_BANDS
    loud = np.full((frames, mels), 1.0 / mels)
    weights = np.stack([low.ravel(), -low.ravel(), loud.ravel()]) * (12.0 / frames)
    return weights.astype(np.float32), np.array([-6.0, -6.0, 12.0], dtype=np.float32)


def tone(frequency_hz: float, seconds: float, rate_hz: int = RATE, level: float = 0.3) -> Float32Array:
    """A sine over a trace of noise."""
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    noise = np.random.default_rng(0).normal(scale=1e-4, size=len(time))
    return (level * np.sin(2 * np.pi * frequency_hz * time) + noise).astype(np.float32)


def tone_rule() -> Rule:
    """Two hits within a second; ends after 0.3 s below release."""
    return Rule(
        threshold=0.8,
        release=0.5,
        hits=2,
        within_samples=RATE,
        min_gap_samples=2_400,
        max_duration_samples=60 * RATE,
    )


@dataclass(frozen=True)
class TinyBundle:
    """What a bundle is made of, before it is written: change a part, then write."""

    manifest: Manifest
    members: dict[str, bytes]

    def write(self, path: Path) -> Path:
        """Write it as a converter would."""
        write_bundle(path, self.manifest, self.members)
        return path

    def bundle(self) -> Bundle:
        """As if it had been opened."""
        return Bundle(Path("tiny.edge"), self.manifest, "0" * 64, self.members)


def tiny_bundle(variants: tuple[str, ...] = tuple(_FORMATS)) -> TinyBundle:
    """The bundle of tones with the variants that are named."""
    weights, bias = tone_weights()
    shape = (1, *feature_shape(LOG_MEL, WINDOW))
    models = {
        "tflite-float32": tiny_tflite(weights, bias, shape),
        "tflite-int8": tiny_int8_tflite(weights, bias, shape, largest=4.0),
        "onnx-float32": tiny_onnx(weights, bias, shape),
    }
    inputs = golden_inputs()
    members = {"golden/inputs.npy": npy(inputs), "report.json": b"{}"}
    made = []
    for name in variants:
        model_format, precision = _FORMATS[name]
        scores = reference_scores(models[name], model_format, inputs)
        members[f"models/{name}.{model_format}"] = models[name]
        members[f"golden/{name}.npy"] = npy(scores)
        made.append(_variant(name, model_format, precision, models[name]))
    members["golden/expected.npy"] = npy(scores)
    return TinyBundle(_manifest(made, members), members)


def golden_inputs() -> Float32Array:
    """Windows of tones below and above 1 kHz, loud and soft, shape ``[n, WINDOW]``."""
    tones = [tone(300, 0.5), tone(2_500, 0.5), tone(700, 0.5, level=0.003), tone(3_200, 0.5, level=0.05)]
    return np.stack(tones)


def reference_scores(model: bytes, model_format: ModelFormat, inputs: Float32Array) -> Float32Array:
    """What a model answers under reference kernels, shape ``[n, 3]``."""
    with open_backend(model, model_format, reference_kernels=True) as backend:
        scorer = AudioScorer(audio_input(), ClassesOutput(), LABELS, backend)
        return np.stack([scorer.score_window(window) for window in inputs])


def _variant(name: str, model_format: ModelFormat, precision: Precision, model: bytes) -> Variant:
    digest = file_digest(model)
    return Variant(
        name=name,
        file=f"models/{name}.{model_format}",
        format=model_format,
        precision=precision,
        sha256=digest.sha256,
        bytes=digest.bytes,
        metric=Metric(name="macro_auc", value=1.0, n=40, low=0.91, high=1.0),
        drop=0.0,
        agreement=1.0,
        max_abs_difference=0.0,
        golden=ExpectedScores(file=f"golden/{name}.npy", bound=0.01 if precision == "int8" else 1e-4),
    )


def _manifest(variants: list[Variant], members: dict[str, bytes]) -> Manifest:
    return Manifest(
        name="tones",
        version="0.1.0",
        task="classify",
        modality="audio",
        labels=[Label(id=label_id, name=label_id.capitalize()) for label_id in LABELS],
        inputs=[audio_input()],
        stages=[Stage(name="classify", variants=[variant.name for variant in variants])],
        outputs=[ClassesOutput()],
        rules={"low": tone_rule(), "high": tone_rule()},
        variants=variants,
        golden=Golden(inputs="golden/inputs.npy", expected="golden/expected.npy", label_ids=list(LABELS)),
        files={name: file_digest(content) for name, content in members.items()},
        provenance=Provenance(
            source_models=[SourceFile(name="tones", sha256="0" * 64)],
            evaluation=SourceFile(name="tones", sha256="1" * 64, n=40),
            libraries={"numpy": "2.0"},
        ),
        description="Tones below and above 1 kHz.",
    )

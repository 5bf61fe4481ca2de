"""YAMNet as these benchmarks run it: the model of ``EDGE_SDK_DATA`` with a manifest made in code.

16 kHz, windows of 0.975 s (96 frames of 25 ms every 10 ms) every 0.25 s, 521 classes; int8 inside, float32
in and out.
"""

from __future__ import annotations

import csv
import io
import os
import sys
from pathlib import Path

import numpy as np

from edge_sdk.contract.audio import LogMel
from edge_sdk.contract.bundle import file_digest, write_bundle
from edge_sdk.contract.manifest import (
    AudioInput,
    ClassesOutput,
    ExpectedScores,
    FileDigest,
    Golden,
    Label,
    Manifest,
    Metric,
    Provenance,
    Rule,
    SourceFile,
    Stage,
    Variant,
)
from edge_sdk.contract.values import Float32Array
from edge_sdk.inference.open import open_backend
from edge_sdk.inference.scorer import AudioScorer

RATE_HZ = 16_000
WINDOW_SAMPLES = 15_600
STEP_SAMPLES = 4_000
VARIANT = "tflite"
OUTPUT = ClassesOutput(activation="none")
CHAINSAW = "c341"

AUDIO = AudioInput(
    sample_rate_hz=RATE_HZ,
    window_samples=WINDOW_SAMPLES,
    step_samples=STEP_SAMPLES,
    front_end=LogMel(
        sample_rate_hz=RATE_HZ,
        n_fft=512,
        win_length=400,
        hop=160,
        n_mels=64,
        fmin_hz=125.0,
        fmax_hz=7_500.0,
        mel_scale="htk",
        mel_norm="none",
        mel_triangles="mel",
        power=1.0,
        center=False,
        framing="tensorflow",
        scale="log",
        log_offset=0.001,
        top_db=None,
    ),
)


_SKIPPED = 77  # automake's exit code for a test that cannot run here; `make bench` goes on


def data_folder() -> Path:
    """Where the models are; ends the program where they are not."""
    default = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
    folder = Path(os.environ.get("EDGE_SDK_DATA", default)) / "models" / "yamnet"
    if not folder.is_dir():
        print(f"skipped: there is no {folder}; set EDGE_SDK_DATA to where the models are", file=sys.stderr)
        sys.exit(_SKIPPED)
    return folder


def model_path() -> Path:
    """The ``.tflite`` file."""
    return data_folder() / "yamnet_spectra_in.tflite"


def labels() -> list[Label]:
    """The 521 classes in the order of the model's outputs."""
    text = (data_folder() / "yamnet_class_map.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    return [Label(id=f"c{row['index']}", name=row["display_name"]) for row in rows]


def update_rule() -> Rule:
    """Every window is a hit, and every window brings an update."""
    return Rule(
        threshold=0.0,
        release=0.0,
        within_samples=WINDOW_SAMPLES,
        min_gap_samples=RATE_HZ,
        max_duration_samples=10**9,
        update_every_samples=STEP_SAMPLES,
    )


def noise(samples: int) -> Float32Array:
    """Sound to compute with."""
    return (0.1 * np.random.default_rng(0).standard_normal(samples)).astype(np.float32)


def write_yamnet_bundle(path: Path) -> None:
    """YAMNet as a bundle with one golden sample."""
    model = model_path().read_bytes()
    listed = labels()
    ids = [label.id for label in listed]
    window = noise(WINDOW_SAMPLES)
    with open_backend(model, "tflite") as backend:
        scores = AudioScorer(AUDIO, OUTPUT, ids, backend).score_window(window)
    members = {
        "models/yamnet.tflite": model,
        "golden/inputs.npy": _npy(window[np.newaxis]),
        "golden/expected.npy": _npy(scores[np.newaxis]),
        "report.json": b"{}",
    }
    manifest = Manifest(
        name="yamnet",
        version="1.0.0",
        task="classify",
        modality="audio",
        labels=listed,
        inputs=[AUDIO],
        stages=[Stage(name="classify", variants=[VARIANT])],
        outputs=[OUTPUT],
        rules={CHAINSAW: update_rule()},
        variants=[_variant(file_digest(model))],
        golden=Golden(inputs="golden/inputs.npy", expected="golden/expected.npy", label_ids=ids),
        files={name: file_digest(content) for name, content in members.items()},
        provenance=Provenance(
            source_models=[SourceFile(name="yamnet", sha256=file_digest(model).sha256)],
            evaluation=SourceFile(name="none", sha256="0" * 64),
            libraries={},
        ),
    )
    write_bundle(path, manifest, members)


def _variant(digest: FileDigest) -> Variant:
    return Variant(
        name=VARIANT,
        file="models/yamnet.tflite",
        format="tflite",
        precision="as_given",
        sha256=digest.sha256,
        bytes=digest.bytes,
        metric=Metric(name="not_measured", value=0.0, n=0),
        drop=0.0,
        agreement=1.0,
        max_abs_difference=0.0,
        golden=ExpectedScores(file="golden/expected.npy", bound=1e-3),
    )


def _npy(array: Float32Array) -> bytes:
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()

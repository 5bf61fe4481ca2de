"""Golden samples: does this machine compute what the workstation computed?

Raw sound goes through front end, model and decoding, and the scores are compared with those that
the bundle carries. Exchanged labels, another normalisation, a transposed spectrogram or other
weights all give plausible scores; none gives these.
"""

from __future__ import annotations

import io
import tokenize
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..contract.bundle import Bundle
from ..contract.manifest import Manifest
from ..contract.values import Float32Array
from ..errors import BundleError, VerificationError
from .backend import Backend
from .model_labels import labels_reordered
from .scorer import AudioScorer

__all__ = ["Flip", "GoldenResult", "require_golden", "run_golden"]

# What NumPy raises on a header that somebody made up: it reads it as a Python literal.
_NO_NPY_HEADER = (ValueError, TypeError, SyntaxError, tokenize.TokenError, RecursionError, MemoryError)


@dataclass(frozen=True, slots=True)
class Flip:
    """A decision that came out otherwise, though the expected score is far from the threshold.

    Attributes:
        sample: Row of the golden inputs, from 0.
    """

    sample: int
    label_id: str
    threshold: float
    expected: float
    score: float


@dataclass(frozen=True, slots=True)
class GoldenResult:
    """Outcome of the golden samples for one variant on this machine.

    Attributes:
        variant: Which variant was run.
        passed: No score is off by more than ``bound``, no decision flipped, no label moved.
        n: Number of samples.
        max_abs_difference: Largest difference of a score to its expected value.
        bound: Largest difference that a healthy machine may show.
        worst_sample: Row with the largest difference, from 0.
        worst_label_id: Label with the largest difference.
        flipped: Decisions at threshold that differ, where the margin exceeds the bound.
        labels_reordered: The model file itself lists the manifest's labels in another order.
    """

    variant: str
    passed: bool
    n: int
    max_abs_difference: float
    bound: float
    worst_sample: int
    worst_label_id: str
    flipped: tuple[Flip, ...]
    labels_reordered: bool = False


def run_golden(bundle: Bundle, variant_name: str, backend: Backend) -> GoldenResult:
    """Score the golden inputs of a bundle; a mismatch is a result, not an error.

    Args:
        bundle: Holds inputs and expected scores.
        variant_name: Which variant ``backend`` has loaded.
        backend: The engine under test.

    Raises:
        BundleError: The golden samples cannot be read or do not fit the manifest.
        ModelError: The model does not fit the manifest at all.
        BackendError: The engine failed, or gave something that is no finite number.
    """
    manifest = bundle.manifest
    variant = manifest.variant(variant_name)
    labels = manifest.label_ids
    inputs = _array(bundle, manifest.golden.inputs, (None, manifest.audio.window_samples))
    expected = _array(bundle, variant.golden.file, (len(inputs), len(labels)))
    scorer = AudioScorer(manifest.audio, manifest.classes, labels, backend)
    scores = np.stack([scorer.score_window(window) for window in inputs])
    differences = np.abs(scores.astype(np.float64) - expected)
    sample, label = np.unravel_index(int(differences.argmax()), differences.shape)
    largest, bound = float(differences[sample, label]), variant.golden.bound
    flipped = _flips(manifest, expected, scores, bound)
    reordered = labels_reordered(bundle.read(variant.file), labels)
    return GoldenResult(
        variant=variant_name,
        passed=largest <= bound and not flipped and not reordered,
        n=len(inputs),
        max_abs_difference=largest,
        bound=bound,
        worst_sample=int(sample),
        worst_label_id=labels[int(label)],
        flipped=flipped,
        labels_reordered=reordered,
    )


def require_golden(bundle: Bundle, variant_name: str, backend: Backend) -> GoldenResult:
    """As :func:`run_golden`, where only a pass will do.

    Raises:
        VerificationError: The machine computes something else; names the worst sample and label.
    """
    result = run_golden(bundle, variant_name, backend)
    if result.labels_reordered:
        raise VerificationError(
            f"{bundle.path}, variant {variant_name}: the model file lists the labels in another order",
            hint="thresholds would land on the wrong labels; convert the model again",
        )
    if not result.passed:
        raise VerificationError(
            f"{bundle.path}, variant {variant_name}, fails its golden samples: sample "
            f"{result.worst_sample}, label '{result.worst_label_id}' is off by "
            f"{result.max_abs_difference:.6f} (allowed: {result.bound:.6f}); "
            f"{len(result.flipped)} of {result.n * len(bundle.manifest.labels)} decisions differ",
            hint="do not trust this variant here; try another, or update its engine",
        )
    return result


def _flips(
    manifest: Manifest, expected: Float32Array, scores: Float32Array, bound: float
) -> tuple[Flip, ...]:
    flips = []
    for label_id, rule in manifest.rules.items():
        column = manifest.label_ids.index(label_id)
        pairs = zip(expected[:, column].tolist(), scores[:, column].tolist(), strict=True)
        for sample, (want, have) in enumerate(pairs):
            decided_otherwise = (want >= rule.threshold) != (have >= rule.threshold)
            if decided_otherwise and abs(want - rule.threshold) > bound:
                flips.append(Flip(sample, label_id, rule.threshold, want, have))
    return tuple(flips)


def _array(bundle: Bundle, name: str, shape: tuple[int | None, int]) -> Float32Array:
    """A member as float32 of that shape; nothing is set aside for what its header only claims."""
    content = bundle.read(name)
    try:
        extents, by_columns, dtype, offset = _npy_header(content)
    except _NO_NPY_HEADER as error:
        raise BundleError(f"'{name}' in {bundle.path} is no .npy array: {error}") from error
    rows = extents[0] if len(extents) == 2 else 0
    fits = dtype == np.float32 and rows > 0 and extents == (shape[0] or rows, shape[1]) and not by_columns
    if fits and len(content) - offset == rows * shape[1] * dtype.itemsize:
        array: Float32Array = np.frombuffer(content, np.float32, offset=offset).reshape(extents)
        if np.isfinite(array).all():
            return array
    raise BundleError(
        f"'{name}' in {bundle.path} must hold finite float32 of shape [{shape[0] or 'n'}, {shape[1]}], "
        f"but holds {len(content) - offset} bytes of {dtype} {list(extents)}"
    )


def _npy_header(content: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Shape, whether it runs by columns, element type, and where the elements begin (NumPy's NEP 1)."""
    stream = io.BytesIO(content)
    if np.lib.format.read_magic(stream) == (1, 0):
        header = np.lib.format.read_array_header_1_0(stream)
    else:
        header = np.lib.format.read_array_header_2_0(stream)
    return (*header, stream.tell())

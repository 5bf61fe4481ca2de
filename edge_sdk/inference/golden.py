"""Golden samples: does this machine compute what the workstation computed?

Raw sound or pictures go through preparation, model and decoding, and what comes out is compared with
what the bundle carries. Exchanged labels, another normalisation, a transposed spectrogram, swapped
colours or other weights all give plausible answers; none gives these.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..contract.bundle import Bundle
from ..contract.golden import MOST_BOUND
from ..contract.manifest import Variant
from ..contract.values import Float32Array
from ..decode.counting import Counting, counting_of
from ..errors import VerificationError
from .backend import Backend
from .bundle_array import read_array
from .golden_result import Flip, GoldenResult
from .model_labels import labels_reordered
from .output_name import classes_output_name
from .scorer import AudioScorer

__all__ = ["Flip", "GoldenResult", "require_golden", "run_golden"]


def run_golden(bundle: Bundle, variant_name: str, backend: Backend) -> GoldenResult:
    """Run the golden inputs of a bundle; a mismatch is a result, not an error.

    Args:
        bundle: Holds inputs and expected answers.
        variant_name: Which variant ``backend`` has loaded.
        backend: The engine under test.

    Raises:
        BundleError: The golden samples cannot be read or do not fit the manifest.
        ModelError: The model does not fit the manifest at all.
        BackendError: The engine failed, or gave something that is no finite number.
        MissingExtraError: Pictures cannot be prepared here.
    """
    variant = bundle.manifest.variant(variant_name)
    run = {("audio", "classify"): _run_sound, ("image", "classify"): _run_pictures}.get(
        (bundle.manifest.modality, bundle.manifest.task), _run_boxes
    )
    result = run(bundle, variant, backend)
    if labels_reordered(bundle.read(variant.file), bundle.manifest.label_ids):
        return replace(result, passed=False, labels_reordered=True)
    return result


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
        first = result.difference.splitlines()[0]
        raise VerificationError(
            f"{bundle.path}, variant {variant_name}, fails its golden samples: {first}; "
            f"{len(result.flipped)} decisions on {result.n} samples differ",
            hint="do not trust this variant here; try another, or update its engine",
        )
    return result


def _run_sound(bundle: Bundle, variant: Variant, backend: Backend) -> GoldenResult:
    manifest = bundle.manifest
    windows = read_array(bundle, manifest.golden.inputs, np.float32, (None, manifest.audio.window_samples))
    expected = read_array(bundle, variant.golden.file, np.float32, (len(windows), len(manifest.labels)))
    scorer = AudioScorer(manifest.audio, manifest.classes, manifest.label_ids, backend)
    scores = np.stack([scorer.score_window(window) for window in windows])
    tensor = classes_output_name(manifest.classes.name, backend, len(manifest.labels))
    return _compare(bundle, variant, expected, scores, tensor)


def _run_pictures(bundle: Bundle, variant: Variant, backend: Backend) -> GoldenResult:
    from .image_classifier import ImageClassifier  # a device that listens starts without

    manifest = bundle.manifest
    pictures = read_array(bundle, manifest.golden.inputs, np.uint8, (None, None, None, 3))
    expected = read_array(bundle, variant.golden.file, np.float32, (len(pictures), len(manifest.labels)))
    classifier = ImageClassifier(
        manifest.image, manifest.classes, manifest.label_ids, backend, variant.tensors
    )
    scores = np.stack([classifier.score(picture) for picture in pictures])
    own = variant.tensors.get(manifest.classes.name, manifest.classes.name)
    return _compare(
        bundle, variant, expected, scores, classes_output_name(own, backend, len(manifest.labels))
    )


def _run_boxes(bundle: Bundle, variant: Variant, backend: Backend) -> GoldenResult:
    from .golden_boxes import GOLDEN_COLUMNS, run_golden_boxes

    pictures = read_array(bundle, bundle.manifest.golden.inputs, np.uint8, (None, None, None, 3))
    rows = read_array(bundle, variant.golden.file, np.float32, (None, GOLDEN_COLUMNS), empty=True)
    return run_golden_boxes(bundle, variant, backend, list(pictures), rows)


def _compare(
    bundle: Bundle, variant: Variant, expected: Float32Array, scores: Float32Array, tensor: str
) -> GoldenResult:
    """Hold scores ``[n, labels]``, read from a tensor, against those that were expected."""
    labels, bound = bundle.manifest.label_ids, min(variant.golden.bound, MOST_BOUND)
    differences = np.abs(scores.astype(np.float64) - expected)
    sample, label = np.unravel_index(int(differences.argmax()), differences.shape)
    largest = float(differences[sample, label])
    counting = counting_of(bundle.manifest)
    flipped = (
        _other_highest(labels, expected, scores, bound)
        if counting.highest
        else _flips(counting, labels, expected, scores, bound)
    )
    return GoldenResult(
        variant=variant.name,
        passed=largest <= bound and not flipped,
        n=len(scores),
        max_abs_difference=largest,
        bound=bound,
        worst_sample=int(sample),
        worst_label_id=labels[int(label)],
        tensor=tensor,
        flipped=flipped,
    )


def _flips(
    counting: Counting,
    labels: tuple[str, ...],
    expected: Float32Array,
    scores: Float32Array,
    bound: float,
) -> tuple[Flip, ...]:
    """Decisions at threshold that came out otherwise, where the expected score is clear of it."""
    flips = []
    for label_id, threshold in counting.thresholds.items():
        column = labels.index(label_id)
        pairs = zip(expected[:, column].tolist(), scores[:, column].tolist(), strict=True)
        for sample, (want, have) in enumerate(pairs):
            decided_otherwise = (want >= threshold) != (have >= threshold)
            if decided_otherwise and abs(want - threshold) > bound:
                flips.append(Flip(sample, label_id, threshold, want, have))
    return tuple(flips)


def _other_highest(
    labels: tuple[str, ...], expected: Float32Array, scores: Float32Array, bound: float
) -> tuple[Flip, ...]:
    """Samples with another highest label, where the expected one leads by more than the bound."""
    flips = []
    for sample, (wanted, given) in enumerate(zip(expected, scores, strict=True)):
        first, here = int(wanted.argmax()), int(given.argmax())
        if first != here and wanted[first] - wanted[here] > bound:
            flips.append(
                Flip(
                    sample,
                    labels[first],
                    None,
                    float(wanted[first]),
                    float(given[first]),
                    instead=labels[here],
                )
            )
    return tuple(flips)

"""What a schema cannot say about a manifest: its parts must agree with each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ManifestError
from .audio import validate_window

if TYPE_CHECKING:
    from .manifest import AudioInput, Manifest

__all__ = ["check_manifest"]


def check_manifest(manifest: Manifest) -> None:
    """Check what a schema cannot say.

    Raises:
        ManifestError: Parts of the manifest contradict each other.
    """
    _check_unique("label id", [label.id for label in manifest.labels])
    _check_unique("variant", [variant.name for variant in manifest.variants])
    _check_unique("stage", [stage.name for stage in manifest.stages])
    _check_modality(manifest)
    if manifest.modality == "audio":
        _check_audio(manifest.audio)
        _check_rules(manifest)
    if manifest.task == "detect":
        from .detector_checks import check_detector  # a device that only listens does without

        check_detector(manifest.detections, manifest.image)
        _check_detections(manifest)
    _check_rule_labels(manifest)
    if tuple(manifest.golden.label_ids) != manifest.label_ids:
        raise ManifestError("the golden samples were made for other labels, or another order")
    for stage in manifest.stages:
        for name in stage.variants:
            manifest.variant(name)
    _check_files(manifest)


def _check_unique(what: str, names: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ManifestError(f"{what} '{name}' appears twice in the manifest")
        seen.add(name)


def _check_modality(manifest: Manifest) -> None:
    """Task, modality, input, output and rules must be of one kind; readers rely on it."""
    kind, modality = manifest.inputs[0].__struct_config__.tag, manifest.modality
    if kind != modality:
        raise ManifestError(f"the modality is '{modality}', but the input is of kind '{kind}'")
    finds_boxes = manifest.outputs[0].role == "detections"
    if finds_boxes != (manifest.task == "detect"):
        raise ManifestError(f"the task is '{manifest.task}', but the output's decoder is of another one")
    if finds_boxes and modality == "audio":
        raise ManifestError("boxes can only be found in pictures, but the input is sound")
    foreign = manifest.frame_rules if modality == "audio" else manifest.rules
    if foreign:
        raise ManifestError(f"the rule for '{next(iter(foreign))}' is not for input of kind '{kind}'")


def _check_rule_labels(manifest: Manifest) -> None:
    for label_id in (*manifest.rules, *manifest.frame_rules):
        if label_id not in manifest.label_ids:
            raise ManifestError(f"there is a rule for '{label_id}', which is no label of the model")


def _check_detections(manifest: Manifest) -> None:
    """A threshold that no box can be left to reach, or golden boxes that may lie anywhere."""
    least_score = manifest.detections.least_score
    for label_id, rule in manifest.frame_rules.items():
        if rule.threshold < least_score:
            raise ManifestError(
                f"the threshold for '{label_id}' is {rule.threshold:g}, but the detector leaves out what "
                f"scores below {least_score:g} (least_score)"
            )
    for variant in manifest.variants:
        if not variant.golden.least_iou:
            raise ManifestError(
                f"variant {variant.name} does not say how much its golden boxes must overlap (least_iou)"
            )


def _check_rules(manifest: Manifest) -> None:
    for label_id, rule in manifest.rules.items():
        if rule.release > rule.threshold:
            raise ManifestError(
                f"rule for '{label_id}': release {rule.release} is above threshold {rule.threshold}"
            )
        shortest = manifest.audio.window_samples + (rule.hits - 1) * manifest.audio.step_samples
        if rule.within_samples < shortest:
            raise ManifestError(
                f"rule for '{label_id}' can never open an event: {rule.hits} overlapping windows span "
                f"at least {shortest} samples, and they must lie within {rule.within_samples}"
            )


def _check_audio(audio: AudioInput) -> None:
    front_end = audio.front_end
    if front_end.sample_rate_hz != audio.sample_rate_hz:
        raise ManifestError(
            f"the input's rate is {audio.sample_rate_hz} Hz, its front end's {front_end.sample_rate_hz} Hz"
        )
    try:
        validate_window(front_end, audio.window_samples, audio.step_samples)
    except ValueError as error:
        raise ManifestError(f"the manifest's input does not hold: {error}") from error


def _check_files(manifest: Manifest) -> None:
    needed = {variant.file for variant in manifest.variants}
    needed |= {variant.golden.file for variant in manifest.variants}
    needed |= {manifest.golden.inputs, manifest.golden.expected}
    for name in sorted(needed - manifest.files.keys()):
        raise ManifestError(f"'{name}' is used in the manifest but its digest is not listed")
    for variant in manifest.variants:
        listed = manifest.files[variant.file]
        if (listed.sha256, listed.bytes) != (variant.sha256, variant.bytes):
            raise ManifestError(f"variant {variant.name} and the file list disagree on '{variant.file}'")

"""``edge-sdk inspect BUNDLE``: what is in a bundle."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from ..console.foreign_text import json_text, printable
from ..console.table import text_table
from ..contract.audio import LogMel
from ..contract.bundle import Bundle
from ..contract.image import ImageInput
from ..contract.manifest import AudioInput, Manifest, Metric, Rule
from ..decode.counting import counting_of

__all__ = ["add_arguments", "run"]

_COLUMN_NOTES = (
    "* preferred by the converter",
    "max difference: of a score to the trained model's, over the samples that judged the conversion",
    "golden bound: how far a device may be off the variant's own scores; `edge-sdk verify` holds it to that",
)
"""The one may be larger than the other: they are held against different scores."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="the .edge file")
    parser.add_argument("--json", action="store_true", help="one JSON object, with the whole manifest")


def run(arguments: argparse.Namespace) -> int:
    """Show the bundle.

    Returns:
        0; a bundle that does not hold is an error.
    """
    bundle = Bundle.open(arguments.bundle)
    if arguments.json:
        report = {
            "path": str(bundle.path),
            "sha256": bundle.sha256,
            "signed": False,
            "manifest": msgspec.to_builtins(bundle.manifest),
        }
        print(json_text(report))
    else:
        print(printable("\n\n".join(_sections(bundle)), lines=True))
    return 0


def _sections(bundle: Bundle) -> list[str]:
    manifest = bundle.manifest
    sections = [
        _heading(bundle),
        _labels(manifest),
        _variants(manifest),
        _provenance(manifest),
    ]
    return [section for section in sections if section]


def _heading(bundle: Bundle) -> str:
    manifest = bundle.manifest
    lines = [
        f"{manifest.name} {manifest.version}, unsigned",
        f"sha256 {bundle.sha256}",
        f"{manifest.task} {manifest.modality}: {_input(manifest)}",
    ]
    if manifest.description:
        lines.insert(1, " ".join(manifest.description.split()))
    return "\n".join(lines)


def _input(manifest: Manifest) -> str:
    return _sound(manifest.audio) if manifest.modality == "audio" else _picture(manifest.image)


def _sound(audio: AudioInput) -> str:
    rate = audio.sample_rate_hz
    text = (
        f"{rate} Hz, window {_seconds(audio.window_samples, rate)}, step {_seconds(audio.step_samples, rate)}"
    )
    front_end = audio.front_end
    if isinstance(front_end, LogMel):
        return (
            f"{text}, log-mel (n_fft {front_end.n_fft}, hop {front_end.hop}, {front_end.n_mels} mels "
            f"{front_end.fmin_hz:g}-{front_end.fmax_hz:g} Hz)"
        )
    return f"{text}, waveform"


def _picture(image: ImageInput) -> str:
    mean, std = (", ".join(f"{value:g}" for value in values) for values in (image.mean, image.std))
    return (
        f"{image.width}x{image.height} {image.color} {image.layout}, {image.resize} ({image.interpolation}), "
        f"(pixel - [{mean}]) / [{std}]"
    )


def _labels(manifest: Manifest) -> str:
    if manifest.modality == "audio":
        return _labels_with_event_rules(manifest)
    counting = counting_of(manifest)
    rows = [
        [str(index), label.id, label.name, counting.text(label.id)]
        for index, label in enumerate(manifest.labels)
    ]
    return text_table(["#", "label", "name", "threshold"], rows, numbers=[0, 3])


def _labels_with_event_rules(manifest: Manifest) -> str:
    rate = manifest.audio.sample_rate_hz
    rows = [
        [str(index), label.id, label.name, *_rule(manifest.rules.get(label.id), rate)]
        for index, label in enumerate(manifest.labels)
    ]
    headings = ["#", "label", "name", "threshold", "release", "opens with", "ends after", "at most"]
    return text_table(headings, rows, numbers=[0, 3, 4])


def _rule(rule: Rule | None, rate_hz: int) -> list[str]:
    if rule is None:
        return ["-", "-", "no rule: never an event", "", ""]
    return [
        f"{rule.threshold:g}",
        f"{rule.release:g}",
        f"{rule.hits} hit{'s' if rule.hits > 1 else ''} in {_seconds(rule.within_samples, rate_hz)}",
        _seconds(rule.min_gap_samples, rate_hz),
        _seconds(rule.max_duration_samples, rate_hz),
    ]


def _variants(manifest: Manifest) -> str:
    preferred = manifest.stages[0].variants
    rows = [
        [
            variant.name + (" *" if variant.name == preferred[0] else ""),
            variant.format,
            f"{variant.bytes / 1000:.0f}",
            _metric(variant.metric),
            f"{variant.drop:+.4f}",
            f"{variant.agreement:.4f}",
            f"{variant.max_abs_difference:.2e}",
            f"{variant.golden.bound:.1e}",
        ]
        for variant in manifest.variants
    ]
    headings = ["variant", "format", "kB", "metric", "drop", "agreement", "max difference", "golden bound"]
    return "\n".join([text_table(headings, rows, numbers=[2, 4, 5, 6, 7]), *_COLUMN_NOTES])


def _metric(metric: Metric) -> str:
    interval = "" if metric.low is None or metric.high is None else f" [{metric.low:.3f}, {metric.high:.3f}]"
    return f"{metric.name} {metric.value:.3f}{interval} n={metric.n}"


def _provenance(manifest: Manifest) -> str:
    provenance = manifest.provenance
    sources = [("model", source) for source in provenance.source_models]
    if provenance.calibration is not None:
        sources.append(("calibration", provenance.calibration))
    sources.append(("evaluation", provenance.evaluation))
    libraries = ", ".join(f"{name} {version}" for name, version in provenance.libraries.items())
    rows = [[kind, source.name, str(source.n), source.sha256] for kind, source in sources]
    table = text_table(["made from", "name", "files", "sha256"], rows, numbers=[2])
    accepted = [
        printable(f"accepted in the spec ({item.key}: {item.reason}): {item.finding}")
        for item in provenance.accepted
    ]
    return "\n".join([table, f"by {libraries}", *accepted])


def _seconds(samples: int, rate_hz: int) -> str:
    return f"{samples / rate_hz:g} s"

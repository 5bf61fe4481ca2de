"""From what was proved to the members and the manifest of a bundle."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Literal

import numpy as np

from edge_sdk.contract.bundle import Bundle, file_digest, write_bundle
from edge_sdk.contract.manifest import (
    AudioInput,
    ClassesOutput,
    ExpectedScores,
    Golden,
    Manifest,
    Provenance,
    Stage,
    Variant,
)
from edge_sdk.contract.values import Array

from .proof.proven import Proof, Proven
from .proof.trial import Trial
from .report.html_page import render_report
from .report.report_file import Report, encode_report
from .spec.conversion_spec import ConversionSpec

__all__ = ["modality_of", "write_proved_bundle"]

_INPUTS = "golden/inputs.npy"
_EXPECTED = "golden/expected.npy"


def write_proved_bundle(
    path: Path, spec: ConversionSpec, trial: Trial, proof: Proof, report: Report, provenance: Provenance
) -> Bundle:
    """Write the bundle in one step, and open it again as a device would.

    Raises:
        BundleError: It cannot be written.
    """
    members: dict[str, bytes] = {
        _INPUTS: _npy(proof.golden.inputs),
        _EXPECTED: _npy(proof.golden.expected),
        "report.json": encode_report(report),
        "report.html": render_report(report).encode(),
    }
    for item in proof.passed:
        members[_model_member(item)] = item.candidate.content
        members[_golden_member(item)] = _npy(item.answers)
    manifest = Manifest(
        name=spec.name,
        version=spec.version,
        description=spec.description,
        task="classify" if isinstance(trial.output, ClassesOutput) else "detect",
        modality=modality_of(trial),
        labels=list(spec.labels),
        inputs=[trial.input],
        stages=[Stage(name="main", variants=[item.name for item in proof.passed])],
        outputs=[trial.output],
        rules=spec.rules,
        frame_rules=spec.frame_rules,
        variants=[_variant(item) for item in proof.passed],
        golden=Golden(inputs=_INPUTS, expected=_EXPECTED, label_ids=list(spec.label_ids)),
        files={name: file_digest(content) for name, content in sorted(members.items())},
        provenance=provenance,
    )
    write_bundle(path, manifest, members)
    return Bundle.open(path)


def modality_of(trial: Trial) -> Literal["audio", "image"]:
    """What the model is fed."""
    return "audio" if isinstance(trial.input, AudioInput) else "image"


def _variant(item: Proven) -> Variant:
    recipe, content, verdict = item.candidate.recipe, item.candidate.content, item.verdict
    digest = file_digest(content)
    return Variant(
        name=recipe.name,
        file=_model_member(item),
        format=recipe.format,
        precision=recipe.precision,
        sha256=digest.sha256,
        bytes=digest.bytes,
        metric=item.judged.metric,
        drop=verdict.drop,
        agreement=verdict.agreement,
        max_abs_difference=verdict.max_abs_difference,
        golden=ExpectedScores(
            file=_golden_member(item), bound=item.tolerance.bound, least_iou=item.tolerance.least_iou
        ),
        build_check=item.build_check,
    )


def _model_member(item: Proven) -> str:
    return f"models/{item.name}.{item.candidate.recipe.format}"


def _golden_member(item: Proven) -> str:
    return f"golden/{item.name}.npy"


def _npy(values: Array) -> bytes:
    content = io.BytesIO()
    np.save(content, np.ascontiguousarray(values), allow_pickle=False)
    return content.getvalue()

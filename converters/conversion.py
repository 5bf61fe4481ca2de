"""The whole conversion: check everything, build every variant, prove each, write what passed.

The order is: arguments and output folder, spec, model against spec, data sets; then the work; then
the bundle and what was timed appear, or neither.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge_sdk.console.progress import Progress
from edge_sdk.console.told_once import told_once
from edge_sdk.contract.bundle import Bundle
from edge_sdk.contract.manifest import ClassesOutput, Provenance
from edge_sdk.errors import GateRefusedError

from .bundle_content import modality_of, write_proved_bundle
from .library_versions import library_versions
from .proof.acceptance import Acceptance
from .proof.findings import assemble_report
from .proof.kinds import check_model, fit_input, make_trial
from .proof.latency import describe_machine
from .proof.prove import Checked, prove
from .proof.proven import Proof
from .report.report_file import Latency, Measured, Report
from .request import Request, check_request
from .result_files import write_results
from .sources.open_source import open_source
from .sources.source_model import SourceModel
from .spec.conversion_spec import ConversionSpec
from .spec.spec_file import load_spec

__all__ = ["Conversion", "run_conversion"]

ShowReport = Callable[[Report, Sequence[Latency]], None]


@dataclass(frozen=True)
class Conversion:
    """What came out.

    Attributes:
        bundle: As it was written.
        report: What was proved.
        measured: What was timed.
    """

    bundle: Bundle
    report: Report
    measured: Measured


def run_conversion(request: Request, progress: Progress, show: ShowReport) -> Conversion:
    """Convert a trained model into a bundle.

    Args:
        request: What to convert, with what, to where.
        progress: Told how far the work is.
        show: Given the report before the gate decides, so that a refusal can be understood.

    Raises:
        UsageError: The request does not hold; nothing was started.
        InputError: The model or a sample cannot be used.
        GateRefusedError: No variant may be used; nothing was written.
        BundleError, ConversionError: The bundle cannot be written.
    """
    asked = check_request(request)
    spec = load_spec(request.spec)
    with contextlib.ExitStack() as finish:
        source = finish.enter_context(_open(request, spec, progress))
        acceptance = Acceptance(spec.accepted)
        check_model(spec, source, acceptance)
        trial = make_trial(request, spec, source, acceptance, progress)
        checked = Checked(request, spec, source, trial)
        proof = prove(checked, asked, finish, progress)
        return _decide(checked, proof, progress, show)


def _open(
    request: Request, spec: ConversionSpec, progress: Progress
) -> contextlib.AbstractContextManager[SourceModel]:
    progress.step(f"opening {' + '.join(path.name for path in request.models)}")
    return open_source(
        request.models,
        input_name=spec.input.name,
        output_name=spec.classes.name if isinstance(spec.output, ClassesOutput) else None,
        fit_input=lambda model_input: fit_input(spec, model_input),
    )


def _decide(checked: Checked, proof: Proof, progress: Progress, show: ShowReport) -> Conversion:
    """Show what was found, and write the bundle if anything passed."""
    request, spec, trial = checked.request, checked.spec, checked.trial
    calibration = trial.case.calibration
    formats = {str(item.candidate.recipe.format) for item in proof.proven}
    provenance = Provenance(
        source_models=list(checked.source.files),
        calibration=None if calibration is None else calibration.digest,
        evaluation=trial.case.evaluation.digest,
        libraries=library_versions(checked.source, modality_of(trial), formats),
        accepted=list(trial.case.acceptance.found),
    )
    report = assemble_report(
        spec,
        trial,
        proof,
        provenance,
        source_name="float source" if checked.source.format is None else "reference kernels",
        max_drop=request.max_drop,
    )
    latency = [item.latency for item in proof.proven]
    show(report, latency)
    if not proof.passed:
        said = told_once((item.name, item.reason) for item in report.variants)
        reasons = [f"{names}: {reason}" for names, reason in said]
        raise GateRefusedError(
            "no variant may be used, so nothing was written:\n  " + "\n  ".join(reasons),
            hint="--max-drop sets how much may be lost; --variants what is tried",
        )
    progress.step(f"writing {request.output}")
    bundle, measured = write_results(
        request.output,
        lambda path: write_proved_bundle(path, spec, trial, proof, report, provenance),
        lambda bundle: describe_machine(bundle.sha256, request.threads, provenance.libraries, latency),
        force=request.force,
    )
    return Conversion(bundle, report, measured)

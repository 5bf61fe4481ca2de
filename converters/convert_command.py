"""``edge-sdk convert``: turn a trained model into a proved bundle."""

from __future__ import annotations

import argparse
import faulthandler
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from edge_sdk.console.arguments import share
from edge_sdk.console.foreign_text import printable, valid_text
from edge_sdk.console.progress import make_progress
from edge_sdk.inference.thread_argument import add_threads_argument

from .conversion import Conversion, run_conversion
from .interruption import interruptible
from .python_api import chosen_models
from .report.report_file import Latency, Report
from .report.terminal_table import report_table
from .request import Request
from .result_files import measured_path
from .variants.recipes import DEFAULT_VARIANTS, RECIPES

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "model", nargs="?", metavar="MODEL", help=".keras, SavedModel folder, .tflite or .onnx"
    )
    parser.add_argument("--features", metavar="KERAS", help="instead of MODEL: a feature extractor ...")
    parser.add_argument("--head", metavar="KERAS", help="... and the head that was trained on its output")
    parser.add_argument("--spec", required=True, metavar="TOML", help="labels, input, rules")
    parser.add_argument("--calibration", metavar="DIR", help="labelled samples for integer variants")
    parser.add_argument(
        "--evaluation", required=True, metavar="DIR", help="other labelled samples: they judge"
    )
    parser.add_argument("-o", "--output", required=True, metavar="EDGE", help="the bundle to write")
    parser.add_argument("--force", action="store_true", help="replace a bundle that is there already")
    parser.add_argument(
        "--variants",
        metavar="NAMES",
        help=f"separated by commas, of {', '.join(RECIPES)}; tflite, onnx: such a file as it is given "
        f"(default: {','.join(DEFAULT_VARIANTS)})",
    )
    parser.add_argument(
        "--max-drop", type=share, default=0.01, metavar="X", help="refuse a variant that loses more (0.01)"
    )
    parser.add_argument(
        "--modelopt-python",
        metavar="PYTHON",
        help="make onnx-int8 by NVIDIA's Model Optimizer, which is installed for this Python",
    )
    add_threads_argument(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> int:
    """Convert, and show what was proved."""
    if sys.__stderr__ is not None:
        faulthandler.enable(sys.__stderr__)  # a crash inside a native converter must leave a trace
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # a conversion needs no GPU, and fills none
    request = Request(
        models=chosen_models(arguments.model, arguments.features, arguments.head),
        spec=Path(arguments.spec),
        calibration=Path(arguments.calibration) if arguments.calibration else None,
        evaluation=Path(arguments.evaluation),
        output=Path(arguments.output),
        variants=None if arguments.variants is None else tuple(arguments.variants.split(",")),
        max_drop=arguments.max_drop,
        threads=arguments.threads,
        force=arguments.force,
        modelopt_python=Path(arguments.modelopt_python) if arguments.modelopt_python else None,
    )

    def show(report: Report, latency: Sequence[Latency]) -> None:
        print(report_table(report, latency), file=sys.stderr if arguments.json else sys.stdout, flush=True)

    with interruptible(make_progress()) as progress:
        conversion = run_conversion(request, progress, show)
    if arguments.json:
        print(_as_json(conversion))
    else:
        print(f"\n{printable(str(conversion.bundle.path))}  sha256 {conversion.bundle.sha256}")
        print(f"variants, the preferred first: {', '.join(conversion.bundle.manifest.stages[0].variants)}")
    return 0


def _as_json(conversion: Conversion) -> str:
    bundle = conversion.bundle
    found = {
        "bundle": valid_text(str(bundle.path)),
        "sha256": bundle.sha256,
        "bytes": bundle.path.stat().st_size,
        "measured": valid_text(str(measured_path(bundle.path))),
        "variants": bundle.manifest.stages[0].variants,
        "report": conversion.report,
        "latency": conversion.measured.latency,
    }
    return msgspec.json.encode(found).decode()

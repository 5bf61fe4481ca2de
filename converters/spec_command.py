"""``edge-sdk spec``: begin a SPEC.toml with what a model's file tells."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from edge_sdk.console.foreign_text import json_text, printable
from edge_sdk.contract.file_kinds import mistaken_for
from edge_sdk.errors import UsageError
from edge_sdk.inference.backend import describe_tensor
from edge_sdk.toml_file import placeholders

from .python_api import chosen_models
from .quiet import quiet_libraries
from .starter.signature import Signature, read_signature
from .starter.spec_text import TASKS, spec_text

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "model", nargs="?", metavar="MODEL", help=".keras, SavedModel folder, .tflite or .onnx"
    )
    parser.add_argument("--features", metavar="KERAS", help="instead of MODEL: a feature extractor ...")
    parser.add_argument("--head", metavar="KERAS", help="... and the head that was trained on its output")
    parser.add_argument(
        "--task", required=True, choices=TASKS, help="it listens, names what is in a picture, or finds boxes"
    )
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="TOML", help="the spec to begin")
    parser.add_argument("--force", action="store_true", help="replace a file that is there already")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> int:
    """Write the spec, and say what is left to fill in.

    Raises:
        UsageError: The model is not there or does not take what its task needs, or the file may not be
            written.
        ModelError: The model cannot be loaded.
    """
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # a look into a file needs no GPU
    models = chosen_models(arguments.model, arguments.features, arguments.head)
    _check(models, arguments.output, force=arguments.force)
    with quiet_libraries():
        signature = read_signature(models)
    text = spec_text(signature, arguments.task)
    _write(arguments.output, text)
    _tell(arguments, signature, list(placeholders(tomllib.loads(text))))
    return 0


def _check(models: tuple[Path, ...], output: Path, *, force: bool) -> None:
    for path in models:
        if not path.exists():
            raise UsageError(f"there is no model {path}")
        mistake = mistaken_for(path, "model")
        if mistake is not None:
            raise UsageError(mistake[0], hint=mistake[1])
    if output.is_dir():
        raise UsageError(f"{output} is a folder", hint="name the file: SPEC.toml")
    if output.exists() and not force:
        raise UsageError(f"{output} is there already", hint="--force replaces it; or give it another name")


def _write(output: Path, text: str) -> None:
    partial = output.with_name(f".{output.name}.{os.getpid()}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(output)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise UsageError(f"cannot write {output}: {error.strerror or error}") from error


def _tell(arguments: argparse.Namespace, signature: Signature, left: list[str]) -> None:
    if arguments.json:
        document = {
            "spec": str(arguments.output),
            "takes": [describe_tensor(spec) for spec in signature.inputs],
            "gives": [describe_tensor(spec) for spec in signature.outputs],
            "to_fill_in": left,
        }
        print(json_text(document))
        return
    for spec in signature.inputs:
        print(f"takes {describe_tensor(spec)}")
    for spec in signature.outputs:
        print(f"gives {describe_tensor(spec)}")
    print(printable(f"{arguments.output}: {len(left)} to fill in: {', '.join(left)}"))

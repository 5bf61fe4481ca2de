"""The text of a SPEC.toml to begin with. What the model's file does not tell is marked, and never guessed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, TypeAlias

from edge_sdk.contract.values import TensorSpec
from edge_sdk.errors import UsageError
from edge_sdk.inference.backend import describe_tensor
from edge_sdk.toml_file import PLACEHOLDER

from .detector_lines import detector_lines
from .image_lines import image_lines
from .lines import Lines, fill_in, known
from .signature import Signature
from .sound_lines import sound_lines

__all__ = ["TASKS", "StarterTask", "spec_text"]

StarterTask: TypeAlias = Literal["sound", "picture", "detector"]

TASKS: tuple[StarterTask, ...] = ("sound", "picture", "detector")

_MOST_LISTED = 20
_SETS = {1000: "imagenet", 80: "coco", 90: "coco_with_gaps"}


def spec_text(signature: Signature, task: StarterTask) -> str:
    """A spec for a model, to be completed.

    Args:
        signature: What its file tells.
        task: What it does.

    Raises:
        UsageError: It does not take what a model of that task is fed.
    """
    if not signature.inputs:
        raise UsageError(f"{signature.name} takes nothing")
    taken = signature.inputs[0]
    count = None if task == "detector" or len(signature.outputs) != 1 else _elements(signature.outputs[0])
    lines = [*_head(signature), *_names(signature, task)]
    if count is None or count > _MOST_LISTED:
        lines += _labels_file(count, task)
    lines += _model(signature, task)
    if count is not None and count <= _MOST_LISTED:
        lines += _labels(count)
    if task == "sound":
        lines += sound_lines(signature.name, taken)
    else:
        lines += image_lines(signature.name, taken)
    if task == "detector":
        lines += detector_lines(signature, taken)
    return "\n".join(lines) + "\n"


def _head(signature: Signature) -> Lines:
    return [
        f"# A spec for {signature.name}, begun by `edge-sdk spec`.",
        "#",
        f'# What says "{PLACEHOLDER}" is not in the model\'s file: your training script knows it.',
        "# `edge-sdk convert` refuses the spec as long as anything says so. All keys: docs/reference/spec.md",
        "#",
        *(f"#   takes {describe_tensor(spec)}" for spec in signature.inputs),
        *(f"#   gives {describe_tensor(spec)}" for spec in signature.outputs),
        "",
    ]


def _names(signature: Signature, task: StarterTask) -> Lines:
    return [
        known("name", _bundle_name(signature.name), "the bundle's; a-z, 0-9, '.', '_', '-'"),
        known("version", "0.1.0"),
        known("description", "", "for people"),
        known("task", "detect" if task == "detector" else "classify"),
        "",
    ]


def _bundle_name(file_name: str) -> str:
    stem = re.sub(r"\.(keras|tflite|onnx)$", "", file_name.lower())
    return re.sub(r"[^a-z0-9._-]+", "-", stem).strip("-._")[:64] or "model"


def _model(signature: Signature, task: StarterTask) -> Lines:
    lines: Lines = []
    if len(signature.inputs) > 1:
        lines += [fill_in("input", f"one of {_listed(signature.inputs)}")]
    if task != "detector":
        if len(signature.outputs) > 1:
            lines += [fill_in("output", f"one of {_listed(signature.outputs)}")]
        lines += _activation(signature)
    return ["[model]", *lines, ""] if lines else []


def _activation(signature: Signature) -> Lines:
    ends_in = signature.final_activation
    if ends_in == "other":
        return [
            "# The model ends in no sigmoid or softmax that could be seen.",
            fill_in("activation", "still to be applied: 'sigmoid' or 'softmax'; 'none' if it gives 0 to 1"),
            fill_in("exclusive", "true: exactly one label is right, as with softmax; false: any number"),
        ]
    exclusive = ends_in == "softmax"
    return [
        known("activation", "none", f"the model ends in its own {ends_in}"),
        known(
            "exclusive", exclusive, "exactly one label is right" if exclusive else "labels are independent"
        ),
    ]


def _labels(count: int) -> Lines:
    lines = ["# In the order of the model's outputs, which nothing but the training script tells."]
    for number in range(count):
        lines += ["[[labels]]", fill_in("id", f"output {number}; a-z, 0-9, '_'"), ""]
    return lines


def _labels_file(count: int | None, task: StarterTask) -> Lines:
    many = f"; {count} of them" if count else "; without a background" if task == "detector" else ""
    fitting = [_SETS[count]] if count in _SETS else []
    if task == "detector":
        fitting = ["coco", "coco_with_gaps"]
    return [
        fill_in("labels_file", f"a .txt with one name a line, in the order of the model's outputs{many}"),
        *(f'# label_set = "{name}"  # instead, if that is what it was trained on' for name in fitting),
        "",
    ]


def _elements(spec: TensorSpec) -> int | None:
    """How many numbers it gives for one sample; None where that is open."""
    count = 1
    for extent in spec.shape[1:] if len(spec.shape) > 1 else spec.shape:
        if extent is None:
            return None
        count *= extent
    return count


def _listed(specs: Sequence[TensorSpec]) -> str:
    return ", ".join(f"'{spec.name}'" for spec in specs)

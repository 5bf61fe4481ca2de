"""SPEC.toml: what a person says about a trained model, so that a device can feed and read it.

A complete one::

    name = "forest-sounds"            # [a-z0-9._-], the bundle's name
    version = "1.2.0"                 # three numbers
    description = "Chainsaws and gunshots in lowland forest"
    task = "classify"

    [model]
    activation = "sigmoid"            # still to be applied: none, sigmoid or softmax
    exclusive = false                 # true: exactly one label is right
    # input = "mel", output = "scores": tensor names, only where the model has several

    [[labels]]                        # in the order of the model's outputs
    id = "chainsaw"
    name = "Chainsaw"

    [[labels]]
    id = "gunshot"
    name = "Gunshot"

    # labels_file = "labels.csv"      # instead of [[labels]], beside this file

    [rules.gunshot]                   # when scores become an event; all but threshold may be left out
    threshold = 0.9
    release = 0.6
    hits = 1
    within_s = 2.0
    min_gap_s = 2.0
    max_duration_s = 60.0
    update_every_s = 10.0

    [default_rule]                    # for labels without a rule of their own; without it they never alert
    threshold = 0.8
    hits = 2
    within_s = 4.0

    [audio]
    sample_rate_hz = 16000
    window_s = 2.0                    # or window_samples
    step_s = 0.5                      # or step_samples

    [audio.log_mel]                   # without it the model takes the waveform; names as in librosa
    n_fft = 1024                      # samples
    hop = 160                         # samples
    n_mels = 128
    clip = [-60.0, 40.0]

A model that looks at pictures has ``[image]`` instead of ``[audio]`` (:mod:`.image_table`), and one that
finds boxes in them ``task = "detect"`` and ``[detector]`` (:mod:`.detector_table`).

Unknown keys are refused with the nearest known one. Durations are seconds and become whole samples.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from edge_sdk.contract.identifiers import LabelId, Name, Version
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.manifest import (
    Activation,
    AudioInput,
    ClassesOutput,
    Label,
)
from edge_sdk.errors import SpecError
from edge_sdk.toml_file import load_toml

from .audio_table import AudioSpec, build_audio_input
from .conversion_spec import ConversionSpec
from .detector_table import DetectorTable
from .image_table import ImageSpec, build_image_input
from .label_file import read_label_file, read_label_set
from .rules_table import RuleSpec, choose_rules, event_rules, frame_rules

__all__ = ["Spec", "load_spec"]


class ModelSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[model]``: how to address and read the model.

    Attributes:
        activation: What is still to be applied to the output; ``none`` where the model ends in its
            own sigmoid or softmax.
        exclusive: Exactly one label is right, as with softmax.
        input, output: Tensor names, needed only where the model has several.
    """

    activation: Activation = "none"
    exclusive: bool = False
    input: str = ""
    output: str = ""


class LabelSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of ``[[labels]]``; the name defaults to the id with spaces and a capital."""

    id: LabelId
    name: str = ""


class Spec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file as it is written."""

    name: Name
    version: Version
    description: str = ""
    task: Literal["classify", "detect"] = "classify"
    model: ModelSpec = msgspec.field(default_factory=ModelSpec)
    labels: list[LabelSpec] = []
    labels_file: str = ""
    label_set: str = ""
    rules: dict[str, RuleSpec] = {}
    default_rule: RuleSpec | None = None
    audio: AudioSpec | None = None
    image: ImageSpec | None = None
    detector: dict[str, Any] | None = None


def load_spec(path: str | os.PathLike[str]) -> ConversionSpec:
    """Read and check a SPEC.toml.

    Raises:
        SpecError: The file is missing or malformed, has an unknown key, names a rule for no label,
            has a step that does not fit the hop (the nearest are named), or contradicts itself.
    """
    path = Path(path)
    spec = load_toml(path, Spec, SpecError)
    _check_tables(path, spec)
    labels = _labels(path, spec)
    model_input = _input(path, spec)
    chosen = choose_rules(path, spec.rules, spec.default_rule, [label.id for label in labels])
    listens = isinstance(model_input, AudioInput)
    output = _output(path, spec, chosen)
    return ConversionSpec(
        name=spec.name,
        version=spec.version,
        description=spec.description,
        labels=labels,
        input=model_input,
        output=output,
        rules=event_rules(path, chosen, model_input) if isinstance(model_input, AudioInput) else {},
        frame_rules={} if listens else frame_rules(path, chosen),
        accepted=_accepted(spec, output),
    )


def _check_tables(path: Path, spec: Spec) -> None:
    if (spec.audio is None) == (spec.image is None):
        both = "has both [audio] and [image]; a model is fed one of them" if spec.audio else "has neither"
        raise SpecError(f"{path} needs either [audio] or [image]: what the model is fed; it {both}")
    detects = spec.task == "detect"
    if detects and spec.audio is not None:
        raise SpecError(f"{path}: task 'detect' finds boxes in pictures, but [audio] is sound")
    if detects != (spec.detector is not None):
        raise SpecError(
            f"{path}: task is '{spec.task}', but [detector] is {'missing' if detects else 'there'}",
            hint="task = 'detect' and [detector] belong together",
        )
    if detects and not (spec.rules or spec.default_rule):
        raise SpecError(
            f"{path}: nothing says when a box counts",
            hint="add [default_rule] with threshold = 0.5, or a threshold for each label",
        )
    model = spec.model
    if detects and (model.output or model.activation != "none" or model.exclusive):
        raise SpecError(f"{path}: a detector's outputs are described in [detector], not in [model]")
    if model.activation == "softmax" and not model.exclusive:
        raise SpecError(
            f"{path}: activation 'softmax' makes one label win, but exclusive is false",
            hint="set exclusive = true, or activation = 'sigmoid' for independent labels",
        )


def _input(path: Path, spec: Spec) -> AudioInput | ImageInput:
    if spec.audio is not None:
        return build_audio_input(path, spec.audio, spec.model.input)
    if spec.image is not None:
        return build_image_input(path, spec.image, spec.model.input)
    raise SpecError(f"{path} needs either [audio] or [image]")


def _output(path: Path, spec: Spec, rules: Mapping[str, RuleSpec]) -> ClassesOutput | DetectorTable:
    if spec.detector is not None:
        lowest = min((rule.threshold for rule in rules.values()), default=1.0)
        return DetectorTable(path, spec.detector, lowest)
    return ClassesOutput(
        name=spec.model.output, activation=spec.model.activation, exclusive=spec.model.exclusive
    )


def _accepted(spec: Spec, output: ClassesOutput | DetectorTable) -> dict[str, str]:
    of_image = {} if spec.image is None else spec.image.accept.reasons()
    return of_image | (output.accepted if isinstance(output, DetectorTable) else {})


def _labels(path: Path, spec: Spec) -> tuple[Label, ...]:
    if sum(map(bool, (spec.labels, spec.labels_file, spec.label_set))) != 1:
        raise SpecError(f"{path}: give the labels once: as [[labels]], labels_file or label_set")
    if spec.label_set:
        labels = read_label_set(path, spec.label_set)
    elif spec.labels_file:
        labels = read_label_file(path.parent / spec.labels_file)
    else:
        labels = [Label(id=item.id, name=item.name or _display_name(item.id)) for item in spec.labels]
    ids = [label.id for label in labels]
    twice = sorted({label_id for label_id in ids if ids.count(label_id) > 1})
    if twice:
        raise SpecError(f"{path}: label id '{twice[0]}' appears twice")
    return tuple(labels)


def _display_name(label_id: str) -> str:
    return label_id.replace("_", " ").strip().capitalize() or label_id

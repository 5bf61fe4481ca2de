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

Unknown keys are refused with the nearest known one. Durations are seconds and become whole samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from edge_sdk.contract.manifest import (
    Activation,
    AudioInput,
    ClassesOutput,
    Label,
    LabelId,
    Name,
    PositiveInt,
    Rule,
    Score,
    Version,
)
from edge_sdk.errors import SpecError
from edge_sdk.toml_file import load_toml

from .audio_table import AudioSpec, build_audio_input
from .label_file import read_label_file
from .nearest_name import nearest_hint

__all__ = ["ConversionSpec", "Spec", "load_spec"]

Seconds = Annotated[float, Meta(ge=0.0)]
PositiveSeconds = Annotated[float, Meta(gt=0.0)]


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


class RuleSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[rules.ID]`` or ``[default_rule]``: :class:`edge_sdk.contract.manifest.Rule` in seconds.

    Attributes:
        release: Defaults to the threshold.
        within_s: Defaults to the shortest stretch that can hold the hits at two steps apart.
    """

    threshold: Score
    release: Score | None = None
    hits: PositiveInt = 1
    within_s: PositiveSeconds | None = None
    min_gap_s: Seconds = 2.0
    max_duration_s: PositiveSeconds = 60.0
    update_every_s: Seconds = 10.0


class Spec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file as it is written."""

    name: Name
    version: Version
    description: str = ""
    task: Literal["classify"] = "classify"
    model: ModelSpec = msgspec.field(default_factory=ModelSpec)
    labels: list[LabelSpec] = []
    labels_file: str = ""
    rules: dict[str, RuleSpec] = {}
    default_rule: RuleSpec | None = None
    audio: AudioSpec


@dataclass(frozen=True)
class ConversionSpec:
    """A spec that holds, in the manifest's own terms.

    Attributes:
        name, version, description: As written.
        labels: In the order of the model's outputs.
        audio: The input, in whole samples.
        output: The output.
        rules: By label id; a label without one is scored and never alerts.
    """

    name: str
    version: str
    description: str
    labels: tuple[Label, ...]
    audio: AudioInput
    output: ClassesOutput
    rules: dict[str, Rule]

    @property
    def label_ids(self) -> tuple[str, ...]:
        """Label ids in the order of the model's outputs."""
        return tuple(label.id for label in self.labels)


def load_spec(path: Path) -> ConversionSpec:
    """Read and check a SPEC.toml.

    Raises:
        SpecError: The file is missing or malformed, has an unknown key, names a rule for no label,
            has a step that does not fit the hop (the nearest are named), or contradicts itself.
    """
    spec = load_toml(path, Spec, SpecError)
    if spec.model.activation == "softmax" and not spec.model.exclusive:
        raise SpecError(
            f"{path}: activation 'softmax' makes one label win, but exclusive is false",
            hint="set exclusive = true, or activation = 'sigmoid' for independent labels",
        )
    labels = _labels(path, spec)
    audio = build_audio_input(path, spec.audio, spec.model.input)
    return ConversionSpec(
        name=spec.name,
        version=spec.version,
        description=spec.description,
        labels=labels,
        audio=audio,
        output=ClassesOutput(
            name=spec.model.output, activation=spec.model.activation, exclusive=spec.model.exclusive
        ),
        rules=_rules(path, spec, [label.id for label in labels], audio),
    )


def _labels(path: Path, spec: Spec) -> tuple[Label, ...]:
    if bool(spec.labels) == bool(spec.labels_file):
        raise SpecError(f"{path}: give the labels either as [[labels]] or as labels_file")
    if spec.labels_file:
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


def _rules(path: Path, spec: Spec, label_ids: list[str], audio: AudioInput) -> dict[str, Rule]:
    for label_id in spec.rules:
        if label_id not in label_ids:
            raise SpecError(
                f"{path}: [rules.{label_id}] is for no label of the model",
                hint=nearest_hint(label_id, label_ids),
            )
    chosen = {label_id: spec.rules.get(label_id, spec.default_rule) for label_id in label_ids}
    return {
        label_id: _rule(f"{path}: rule for '{label_id}'", rule, audio)
        for label_id, rule in chosen.items()
        if rule is not None
    }


def _rule(where: str, rule: RuleSpec, audio: AudioInput) -> Rule:
    rate = audio.sample_rate_hz
    release = rule.threshold if rule.release is None else rule.release
    if release > rule.threshold:
        raise SpecError(f"{where}: release {release:g} is above threshold {rule.threshold:g}")
    needed = audio.window_samples + (rule.hits - 1) * audio.step_samples
    loose = audio.window_samples + 2 * (rule.hits - 1) * audio.step_samples
    within = loose if rule.within_s is None else round(rule.within_s * rate)
    if within < needed:
        raise SpecError(
            f"{where}: {rule.hits} windows cannot lie within {rule.within_s:g} s",
            hint=f"within_s must be at least {needed / rate:g}",
        )
    return Rule(
        threshold=rule.threshold,
        release=release,
        hits=rule.hits,
        within_samples=within,
        min_gap_samples=round(rule.min_gap_s * rate),
        max_duration_samples=max(1, round(rule.max_duration_s * rate)),
        update_every_samples=round(rule.update_every_s * rate),
    )

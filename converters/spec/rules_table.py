"""``[rules.ID]`` and ``[default_rule]`` of a SPEC.toml: when scores become events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from edge_sdk.contract.identifiers import PositiveInt, Score
from edge_sdk.contract.manifest import AudioInput, FrameRule, Rule
from edge_sdk.contract.nearest_name import nearest_hint
from edge_sdk.errors import SpecError

__all__ = ["RuleSpec", "choose_rules", "event_rules", "frame_rules"]

Seconds = Annotated[float, Meta(ge=0.0)]
PositiveSeconds = Annotated[float, Meta(gt=0.0)]


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


def choose_rules(
    path: Path, own: Mapping[str, RuleSpec], default: RuleSpec | None, label_ids: Sequence[str]
) -> dict[str, RuleSpec]:
    """Each label's own rule, or the default one; labels with neither have none.

    Raises:
        SpecError: A rule is for no label.
    """
    for label_id in own:
        if label_id not in label_ids:
            raise SpecError(
                f"{path}: [rules.{label_id}] is for no label of the model",
                hint=nearest_hint(label_id, label_ids),
            )
    chosen = {label_id: own.get(label_id, default) for label_id in label_ids}
    return {label_id: rule for label_id, rule in chosen.items() if rule is not None}


def event_rules(path: Path, chosen: dict[str, RuleSpec], audio: AudioInput) -> dict[str, Rule]:
    """Rules for sound, in whole samples.

    Raises:
        SpecError: A rule contradicts itself or could never open an event.
    """
    return {
        label_id: _rule(f"{path}: rule for '{label_id}'", rule, audio) for label_id, rule in chosen.items()
    }


def frame_rules(path: Path, chosen: dict[str, RuleSpec]) -> dict[str, FrameRule]:
    """Rules for pictures.

    Raises:
        SpecError: A rule says more than a threshold.
    """
    for label_id, rule in chosen.items():
        if rule != RuleSpec(threshold=rule.threshold):
            raise SpecError(
                f"{path}: the rule for '{label_id}' says more than a threshold",
                hint="pictures have no use for the rest; leave it out",
            )
    return {label_id: FrameRule(threshold=rule.threshold) for label_id, rule in chosen.items()}


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

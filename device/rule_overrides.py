"""The bundle's rules with what this device does otherwise: ``[rules.LABEL]`` of CONFIG.toml."""

from __future__ import annotations

import msgspec

from edge_sdk.contract.manifest import Manifest, Rule
from edge_sdk.contract.nearest_name import nearest_hint
from edge_sdk.errors import ConfigError

from .config import RuleConfig

__all__ = ["override_rules"]


def override_rules(manifest: Manifest, overrides: dict[str, RuleConfig]) -> dict[str, Rule]:
    """The bundle's rules with this device's own values put in.

    Raises:
        ConfigError: A label that has no rule in the bundle, or a release above its threshold.
    """
    rules = dict(manifest.rules)
    for label_id, override in overrides.items():
        if label_id not in rules:
            known = ", ".join(sorted(rules))
            raise ConfigError(
                f"[rules.{label_id}]: bundle {manifest.name} has no rule for '{label_id}'",
                hint=nearest_hint(label_id, rules, otherwise=f"it has rules for: {known}"),
            )
        rules[label_id] = _overridden(rules[label_id], override, manifest.audio.sample_rate_hz)
        if rules[label_id].release > rules[label_id].threshold:
            raise ConfigError(
                f"[rules.{label_id}]: release {rules[label_id].release} "
                f"is above threshold {rules[label_id].threshold}",
                hint="lower release, or raise threshold",
            )
    return rules


def _overridden(rule: Rule, override: RuleConfig, rate_hz: int) -> Rule:
    changes: dict[str, float] = {}
    for name, value in msgspec.structs.asdict(override).items():
        if value is None:
            continue
        if name.endswith("_s"):
            least = 1 if name in ("within_s", "max_duration_s") else 0
            changes[f"{name[:-2]}_samples"] = max(least, round(value * rate_hz))
        else:
            changes[name] = value
    if override.threshold is not None and override.release is None:
        # A lower threshold takes release along, or every event would end as it begins.
        changes["release"] = min(rule.release, override.threshold)
    return msgspec.structs.replace(rule, **changes)

"""A device may do otherwise than the bundle's rules say, within what holds."""

from __future__ import annotations

import pytest
from tiny_bundle import RATE, tiny_bundle, tone_rule

from device.config import RuleConfig
from device.rule_overrides import override_rules
from edge_sdk.contract.manifest import Rule
from edge_sdk.errors import ConfigError


def overridden(label_id: str, rule: RuleConfig) -> Rule:
    return override_rules(tiny_bundle(("tflite-float32",)).manifest, {label_id: rule})[label_id]


def test_a_device_may_override_a_rule_in_seconds_and_keeps_the_rest() -> None:
    rule = overridden("low", RuleConfig(hits=3, within_s=1.5, min_gap_s=0.0, update_every_s=10))
    assert (rule.hits, rule.within_samples) == (3, round(1.5 * RATE))
    assert (rule.min_gap_samples, rule.update_every_samples) == (0, 10 * RATE)
    assert (rule.threshold, rule.max_duration_samples) == (
        tone_rule().threshold,
        tone_rule().max_duration_samples,
    )


def test_a_lower_threshold_takes_release_along() -> None:
    rule = overridden("low", RuleConfig(threshold=0.3))
    assert (rule.threshold, rule.release) == (0.3, 0.3)


def test_a_rule_for_a_label_that_has_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="no rule for 'chainsaw'") as refused:
        overridden("chainsaw", RuleConfig(hits=1))
    assert "low" in (refused.value.hint or "")
    with pytest.raises(ConfigError, match="no rule for 'lowe'") as refused:
        overridden("lowe", RuleConfig(hits=1))
    assert refused.value.hint == "did you mean 'low'?"


def test_a_release_above_its_threshold_is_refused() -> None:
    with pytest.raises(ConfigError, match="above threshold"):
        overridden("low", RuleConfig(release=0.9))

"""Staged against heard: a miss and a false alert must both be seen."""

from __future__ import annotations

from edge_sdk.demo.soundscape import StagedSound
from edge_sdk.demo.verdict import HeardEvent, judge

SAW = StagedSound("chainsaw", 5.0, 12.0, "a saw")
SHOT = StagedSound("gunshot", 20.0, 21.0, "a gun")


def test_an_event_over_a_staged_sound_of_its_label_is_heard() -> None:
    event = HeardEvent("chainsaw", 6.0, 11.0, 0.9)
    verdict = judge([SAW], [event], slack_s=2.0)
    assert verdict.heard == ((SAW, event),)
    assert verdict.passed("chainsaw")


def test_a_missed_chainsaw_fails() -> None:
    assert not judge([SAW, SHOT], [HeardEvent("gunshot", 20.0, 21.0, 0.9)], 2.0).passed("chainsaw")


def test_a_missed_gunshot_is_told_but_does_not_fail() -> None:
    verdict = judge([SAW, SHOT], [HeardEvent("chainsaw", 6.0, 11.0, 0.9)], 2.0)
    assert verdict.heard[1] == (SHOT, None)
    assert verdict.passed("chainsaw")


def test_an_event_of_another_label_is_false() -> None:
    wrong = HeardEvent("storm", 6.0, 11.0, 0.9)
    verdict = judge([SAW], [HeardEvent("chainsaw", 6.0, 11.0, 0.9), wrong], 2.0)
    assert verdict.false == (wrong,)
    assert not verdict.passed("chainsaw")


def test_a_window_may_reach_beyond_the_sound_but_no_further() -> None:
    near = HeardEvent("gunshot", 22.9, 24.0, 0.9)
    far = HeardEvent("gunshot", 23.0, 24.0, 0.9)
    assert judge([SHOT], [near], 2.0).false == ()
    assert judge([SHOT], [far], 2.0).false == (far,)

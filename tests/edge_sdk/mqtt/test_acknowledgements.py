"""An acknowledgement finds its publish, whichever comes first."""

from __future__ import annotations

from edge_sdk.mqtt.acknowledgements import Acknowledgements


def test_the_usual_order() -> None:
    pairs = Acknowledgements()
    assert not pairs.sent(1, token=7)
    assert pairs.acknowledged(1) == 7


def test_an_acknowledgement_that_overtakes_the_publish() -> None:
    pairs = Acknowledgements()
    assert pairs.acknowledged(1) is None
    assert pairs.sent(1, token=7)


def test_packet_ids_come_round_again() -> None:
    pairs = Acknowledgements()
    for token in (7, None, 8):
        assert not pairs.sent(1, token)
        assert pairs.acknowledged(1) == token
    assert pairs.acknowledged(1) is None
    assert pairs.sent(1, token=9)
    assert not pairs.sent(1, token=10)

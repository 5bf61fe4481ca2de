"""What a subscriber refuses before it has started, and what it waits for."""

from __future__ import annotations

import pytest

from edge_sdk import Alert, Subscriber
from edge_sdk.demo.broker import EmbeddedBroker
from edge_sdk.errors import BrokerError, ConfigError, MessageError, UsageError


def test_a_wait_for_an_alert_ends(broker: EmbeddedBroker, site: str) -> None:
    with Subscriber(broker.url, site=site) as subscriber:
        assert subscriber.next_alert(0.01) is None


def test_an_unreachable_broker_is_an_error_at_the_start() -> None:
    with pytest.raises(BrokerError, match="nothing listens"), Subscriber("mqtt://127.0.0.1:9"):
        pass


def test_an_unreachable_broker_may_be_waited_for() -> None:
    subscriber = Subscriber("mqtt://127.0.0.1:9")
    subscriber.start(require_broker=False)
    try:
        assert not subscriber.is_connected
        assert subscriber.next_alert(0.01) is None
    finally:
        subscriber.close()


@pytest.mark.parametrize(
    ("chosen", "error"),
    [
        ({"site": "North Ridge"}, MessageError),
        ({"device": "a/b"}, MessageError),
        ({"label": "+"}, MessageError),
    ],
)
def test_names_that_cannot_be_in_a_topic_are_refused(chosen: dict[str, str], error: type[Exception]) -> None:
    with pytest.raises(error):
        Subscriber("mqtt://127.0.0.1", **chosen)  # type: ignore[arg-type]


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError):
        Subscriber("http://127.0.0.1")


def test_functions_are_registered_before_the_start(broker: EmbeddedBroker, site: str) -> None:
    with Subscriber(broker.url, site=site) as subscriber:
        with pytest.raises(UsageError, match="started"):
            subscriber.on(Alert, print)
        with pytest.raises(UsageError, match="started"):
            subscriber.on_problem(print)
        with pytest.raises(UsageError, match="started"):
            subscriber.start()

"""A reason is told once, and again after all was well."""

from __future__ import annotations

from edge_sdk.mqtt.told_reasons import ToldReasons


def test_reasons_that_alternate_are_news_once_each() -> None:
    told = ToldReasons()
    assert [told.is_news(reason) for reason in ("a", "b", "a", "b", "a")] == [True, True, False, False, False]


def test_after_all_was_well_everything_is_news() -> None:
    told = ToldReasons()
    told.is_news("a")
    told.forget()
    assert told.is_news("a")


def test_reasons_without_end_do_not_fill_the_memory() -> None:
    told = ToldReasons()
    for number in range(1000):
        told.is_news(str(number))
    assert not told.is_news("999")
    assert told.is_news("0"), "forgotten, so it is told again"

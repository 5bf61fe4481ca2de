"""Kinds of command-line arguments, refused in words."""

from __future__ import annotations

import argparse
import math

__all__ = ["at_least_one", "seconds", "share", "some_seconds", "whole_number"]

_HOUR_S = 3600


def whole_number(text: str, least: int, most: int | None = None) -> int:
    """A whole number within bounds.

    Raises:
        ArgumentTypeError: It is none, or out of bounds.
    """
    wanted = f"a whole number of at least {least}" if most is None else f"a whole number, {least} to {most}"
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not {wanted}") from None
    if number < least or (most is not None and number > most):
        raise argparse.ArgumentTypeError(f"{number} is not {wanted}")
    return number


def at_least_one(text: str) -> int:
    """A whole number from 1.

    Raises:
        ArgumentTypeError: It is none.
    """
    return whole_number(text, 1)


def seconds(text: str) -> float:
    """Seconds, 0 or more.

    Raises:
        ArgumentTypeError: They are none.
    """
    number = _number(text)
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds, 0 or more")
    return number


def some_seconds(text: str) -> float:
    """Seconds to do something for: more than 0, and an hour at most.

    Raises:
        ArgumentTypeError: They are none.
    """
    number = _number(text)
    if not 0 < number <= _HOUR_S:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a number of seconds, more than 0 and at most {_HOUR_S}"
        )
    return number


def share(text: str) -> float:
    """A number from 0 to 1.

    Raises:
        ArgumentTypeError: It is none.
    """
    number = _number(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 0 to 1")
    return number


def _number(text: str) -> float:
    """NaN where it is none, which no bound lets pass."""
    try:
        return float(text)
    except ValueError:
        return math.nan

"""The broker on a command line. Its password never is: a command line can be read by everyone."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .settings import PASSWORD_VARIABLE, USER_VARIABLE, BrokerSettings

__all__ = ["add_broker_arguments", "broker_settings"]


def add_broker_arguments(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add ``--broker`` and what it takes to be let in."""
    group = parser.add_argument_group(
        "broker", f"User and password are read from {USER_VARIABLE} and {PASSWORD_VARIABLE}."
    )
    group.add_argument(
        "--broker", metavar="URL", required=required, help="mqtt://host[:port], or mqtts:// for TLS"
    )
    group.add_argument("--user", help="user name")
    group.add_argument("--password-file", type=Path, metavar="FILE", help="its first line is the password")
    group.add_argument("--ca", type=Path, metavar="PEM", help="authorities to believe; else the system's")
    group.add_argument("--cert", type=Path, metavar="PEM", help="our certificate")
    group.add_argument("--key", type=Path, metavar="PEM", help="its private key")


def broker_settings(arguments: argparse.Namespace) -> BrokerSettings:
    """The settings that the arguments name. Standard error is told where they give away a password.

    Raises:
        ConfigError: They do not hold.
    """
    settings = BrokerSettings.from_url(
        arguments.broker,
        user=arguments.user,
        password_file=arguments.password_file,
        ca=arguments.ca,
        cert=arguments.cert,
        key=arguments.key,
    )
    if settings.exposure:
        print(f"warning: {settings.exposure}; mqtts:// encrypts", file=sys.stderr)  # noqa: T201
    return settings

"""The options of ``edge-sdk run``: a bundle with options, or a CONFIG.toml that options override."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import msgspec

from edge_sdk.console.arguments import at_least_one
from edge_sdk.errors import ConfigError, UsageError
from edge_sdk.inference.thread_argument import add_threads_argument
from edge_sdk.invalid_value import invalid_value
from edge_sdk.mqtt.broker_arguments import add_broker_arguments

from .config import RunConfig, load_config
from .inference_settings import InferenceSettings
from .model_choice import add_choice_arguments

__all__ = ["add_run_options", "run_config", "run_settings"]

# Option -> where in the configuration its value goes.
_PLACES: dict[str, tuple[str, ...]] = {
    "source": ("source",),
    "require_sha256": ("require_sha256",),
    "site": ("device", "site"),
    "device": ("device", "name"),
    "broker": ("broker", "url"),
    "user": ("broker", "user"),
    "password_file": ("broker", "password_file"),
    "ca": ("broker", "ca"),
    "cert": ("broker", "cert"),
    "key": ("broker", "key"),
    "receiver_id": ("broker", "receiver_id"),
    "delivery": ("broker", "delivery"),
    "outbox": ("outbox", "folder"),
    "disk_budget_mb": ("outbox", "disk_budget_mb"),
    "redirect_waiting": ("outbox", "redirect_waiting"),
    "variant": ("inference", "variant"),
    "backend": ("inference", "backends"),
    "threads": ("inference", "threads"),
}


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Declare what describes a device."""
    parser.add_argument("what", type=Path, metavar="BUNDLE|CONFIG.toml", help="a bundle, or a configuration")
    parser.add_argument(
        "--source",
        metavar="URI",
        help="a recording or a directory of them, as path or file://PATH; behind it ?channel=N (from 1), "
        "pace=realtime, contiguous=true, joined by &",
    )
    add_broker_arguments(parser, required=False)
    group = parser.add_argument_group("delivery")
    group.add_argument("--receiver-id", metavar="ID", help="wait for the receipts of this receiver")
    group.add_argument(
        "--delivery", choices=("receipt", "puback"), help="receipt where a receiver is named, else puback"
    )
    group.add_argument("--outbox", metavar="DIR", help="where alerts wait (default: the user's state folder)")
    group.add_argument(
        "--disk-budget-mb", type=at_least_one, metavar="N", help="what it may take (default: 256)"
    )
    group.add_argument(
        "--redirect-waiting",
        action="store_const",
        const=True,
        help="send what waits in the outbox for another broker to this one",
    )
    parser.add_argument("--site", metavar="S", help="where the device stands (default: default)")
    parser.add_argument("--device", metavar="D", help="its name (default: the host's)")
    add_choice_arguments(parser, default="what was picked here, else the first that works")
    add_threads_argument(parser, default=None)
    parser.add_argument("--require-sha256", metavar="HEX", help="refuse a bundle with another digest")


def run_config(arguments: argparse.Namespace) -> RunConfig:
    """The configuration that a command line describes.

    Raises:
        UsageError: Source or broker is missing, or what should be a bundle is something else.
        ConfigError: The file or an option does not hold.
    """
    document = _document(arguments)
    given = _given(arguments)
    for place, option in given.items():
        _put(document, place, getattr(arguments, option))
    _refuse_receipts_of_nobody(document, arguments)
    try:
        return msgspec.convert(document, RunConfig)
    except msgspec.ValidationError as error:  # the file holds by itself
        names = {".".join(place): f"--{option.replace('_', '-')}" for place, option in given.items()}
        wrong = invalid_value(error, document, msgspec.inspect.type_info(RunConfig), names)
        raise ConfigError(wrong.message, hint=wrong.hint) from error


def run_settings(arguments: argparse.Namespace, config: RunConfig) -> InferenceSettings:
    """How the model runs, and who says so.

    Args:
        arguments: Those of :func:`add_run_options`.
        config: What :func:`run_config` made of them.
    """
    path = arguments.what if _is_configuration(arguments.what) else None
    by_options = {
        place[-1]: getattr(arguments, option)
        for place, option in _given(arguments).items()
        if place[0] == "inference"
    }
    return InferenceSettings(path, config.inference, by_options)


def _given(arguments: argparse.Namespace) -> dict[tuple[str, ...], str]:
    """The places that options say something of, and which."""
    return {place: option for option, place in _PLACES.items() if getattr(arguments, option) is not None}


def _is_configuration(what: Path) -> bool:
    return what.suffix.lower() == ".toml"


def _document(arguments: argparse.Namespace) -> dict[str, Any]:
    """The file's, or that of a bundle alone."""
    if _is_configuration(arguments.what):
        document: dict[str, Any] = msgspec.to_builtins(load_config(arguments.what))
        return document
    missing = [f"--{name}" for name in ("source", "broker") if getattr(arguments, name) is None]
    if missing:
        _refuse_other_than_bundle(arguments.what)
        raise UsageError(
            f"a bundle alone is not enough: give {' and '.join(missing)} too",
            hint="edge-sdk run BUNDLE --source recordings/ --broker mqtt://localhost, or a CONFIG.toml",
        )
    return {"bundle": str(arguments.what)}


def _refuse_receipts_of_nobody(document: dict[str, Any], arguments: argparse.Namespace) -> None:
    """As the configuration itself does, to one who wrote an option."""
    if arguments.delivery == "receipt" and not document["broker"].get("receiver_id"):
        raise ConfigError(
            "--delivery receipt needs --receiver-id",
            hint="give --receiver-id ID: whose receipts to wait for, as `edge-sdk monitor` names itself",
        )


def _refuse_other_than_bundle(what: Path) -> None:
    from edge_sdk.contract.file_kinds import mistaken_for  # for what goes wrong alone

    mistake = mistaken_for(what, "bundle")
    if mistake is not None:
        raise UsageError(mistake[0], hint=mistake[1])


def _put(document: dict[str, Any], place: tuple[str, ...], value: object) -> None:
    *sections, name = place
    for section in sections:
        document = document.setdefault(section, {})
    document[name] = str(value) if isinstance(value, Path) else value

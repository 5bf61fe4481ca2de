"""How a model is run for a person who verifies, measures or tries it: as ``run`` would, by the same file."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from edge_sdk.errors import BackendError, BackendUnavailableError, ConfigError, MissingExtraError
from edge_sdk.inference.choice import Choice
from edge_sdk.inference.options import EngineOptions

from .config import InferenceConfig, load_inference
from .setting_words import setting_words

__all__ = ["InferenceSettings", "add_config_argument", "read_settings"]


@dataclass(frozen=True, slots=True)
class InferenceSettings:
    """What a command line asks for.

    Attributes:
        path: The file that it names; None without ``--config``.
        inference: What that says below ``[inference]``, with the command line's options put in.
    """

    path: Path | None
    inference: InferenceConfig

    @property
    def options(self) -> EngineOptions:
        """How what runs the model works."""
        return self.inference.options

    def lines(self) -> list[str]:
        """What a person should know of them; nothing without ``--config``."""
        if self.path is None:
            return []
        usual = setting_words(InferenceConfig())
        named = [
            f"{name} = {value}"
            for name, value in setting_words(self.inference).items()
            if value != usual[name]
        ]
        if not named:
            return [f"{self.path} sets nothing below [inference]: with the defaults"]
        return [f"with the settings of {self.path}: {', '.join(named)}"]

    def document(self) -> dict[str, Any]:
        """All of them, for ``--json``."""
        told: dict[str, Any] = msgspec.to_builtins(self.inference)
        return {"config": None if self.path is None else str(self.path), **told}

    def require_providers(self, choices: Sequence[Choice]) -> None:
        """Refuse an execution provider that ONNX Runtime does not have here, before any work is done.

        Args:
            choices: What is to run; where ONNX Runtime runs none of it, its providers do not matter.

        Raises:
            ConfigError: The file names one.
        """
        named = self.options.onnx.providers
        if named is None or all(choice.backend != "onnx" for choice in choices):
            return
        from edge_sdk.inference.onnx import require_onnx_providers  # it loads ONNX Runtime

        try:
            require_onnx_providers(named)
        except BackendUnavailableError as error:
            where = f"{self.path}: inference.onnx.providers"
            raise ConfigError(f"{where}: {error.message}", hint=error.hint) from error
        except (MissingExtraError, BackendError):
            return  # without ONNX Runtime, that is told of each variant that it should run


def add_config_argument(parser: argparse.ArgumentParser, *, what: str = "[inference]") -> None:
    """Add ``--config``.

    Args:
        parser: Of a verb that runs a model.
        what: The part of the file that it heeds.
    """
    parser.add_argument(
        "--config",
        type=Path,
        metavar="CONFIG.toml",
        help=f"as `run` works with this file: only {what} of it is heeded, and options go before it",
    )


def read_settings(arguments: argparse.Namespace, *, threads: int | None) -> InferenceSettings:
    """What a command line asks for.

    Args:
        arguments: Those of :func:`add_config_argument` and :func:`.add_choice_arguments`.
        threads: Of one inference, where the command line says so.

    Raises:
        ConfigError: The file is missing, or something in it does not hold.
    """
    path: Path | None = arguments.config
    given = {"variant": arguments.variant, "backends": arguments.backend, "threads": threads}
    inference = InferenceConfig() if path is None else load_inference(path)
    named = {name: value for name, value in given.items() if value is not None}
    return InferenceSettings(path, msgspec.structs.replace(inference, **named))

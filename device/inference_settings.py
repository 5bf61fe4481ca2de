"""How a model is run for a person who verifies, measures or tries it: as ``run`` would, by the same file."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from edge_sdk.contract.manifest import Manifest
from edge_sdk.errors import (
    BackendError,
    BackendUnavailableError,
    ConfigError,
    MissingExtraError,
    UsageError,
)
from edge_sdk.inference.choice import Choice, possible_choices
from edge_sdk.inference.options import BackendName, EngineOptions, OnnxOptions, TensorRtOptions

from .config import InferenceConfig, load_inference
from .setting_words import setting_words

__all__ = ["InferenceSettings", "add_config_argument", "read_settings"]


@dataclass(frozen=True, slots=True)
class InferenceSettings:
    """What a command line asks for.

    Attributes:
        path: The file that it names; None without ``--config``.
        of_file: What that says below ``[inference]``; the defaults without.
        by_options: What the command line's own options say instead, by the names of these keys.
    """

    path: Path | None
    of_file: InferenceConfig
    by_options: Mapping[str, Any]

    @property
    def inference(self) -> InferenceConfig:
        """The file's, with the options put in."""
        return msgspec.structs.replace(self.of_file, **self.by_options)

    @property
    def options(self) -> EngineOptions:
        """How what runs the model works."""
        return self.inference.options

    def choices(self, manifest: Manifest) -> list[Choice]:
        """What could run: see :func:`.possible_choices`.

        Raises:
            UsageError: There is no such variant, or nothing runs on these backends. Where the file asks for
                that, it is named.
        """
        asked = self.inference
        try:
            return possible_choices(manifest, variant=asked.variant, backends=asked.backends)
        except UsageError as error:
            blamed = [
                f"inference.{key}"
                for key in ("variant", "backends")
                if getattr(self.of_file, key) is not None and key not in self.by_options
            ]
            if not blamed:
                raise
            message = f"{self.path}: {' and '.join(blamed)}: {error.message}"
            raise ConfigError(message, hint=error.hint) from error

    def lines(self, choices: Sequence[Choice] = ()) -> list[str]:
        """What a person should know of them; nothing without ``--config``.

        Args:
            choices: What is to be run; what is set for a backend that runs none of it is told. Without any,
                nothing is said of that.
        """
        if self.path is None:
            return []
        usual, says = setting_words(InferenceConfig()), setting_words(self.of_file)
        heeded = [
            f"{name} = {value}"
            for name, value in says.items()
            if value != usual[name] and name not in self.by_options
        ]
        words = setting_words(self.inference)
        options = [f"{name} = {words[name]}" for name in words if name in self.by_options]
        if heeded:
            line = f"with the settings of {self.path}: {', '.join(heeded)}"
        elif says == usual:
            line = f"{self.path} sets nothing below [inference]: with the defaults"
        else:
            line = f"what {self.path} sets below [inference] is set by options, too"
        line += f"; by options: {', '.join(options)}" if options else ""
        return [line, *self._unused(choices)]

    def _unused(self, choices: Sequence[Choice]) -> list[str]:
        run = {choice.backend for choice in choices}
        set_: dict[BackendName, bool] = {
            "onnx": self.of_file.onnx != OnnxOptions(),
            "tensorrt": self.of_file.tensorrt != TensorRtOptions(),
        }
        return [
            f"what [inference.{backend}] says is not used: nothing of this runs on {backend}"
            for backend, is_set in set_.items()
            if run and is_set and backend not in run
        ]

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
    of_file = InferenceConfig() if path is None else load_inference(path)
    return InferenceSettings(path, of_file, {key: value for key, value in given.items() if value is not None})

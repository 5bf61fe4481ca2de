"""CONFIG.toml of a device, and the defaults that stand for what it leaves out.

::

    bundle = "forest-sounds-1.2.0.edge"        # paths are relative to this file
    source = "file:///var/recordings?pace=realtime"

    [device]
    site = "sungai-utik"
    name = "box-07"

    [broker]
    url = "mqtts://broker.example.org"
    receiver_id = "monitor"

    [rules.gunshot]
    threshold = 0.9
"""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from edge_sdk.contract.messages import TopicName
from edge_sdk.errors import ConfigError
from edge_sdk.inference.options import (
    BackendName,
    EngineOptions,
    OnnxOptions,
    TensorRtOptions,
    refuse_doubles,
)
from edge_sdk.inference.thread_argument import MAX_THREADS
from edge_sdk.toml_file import load_toml

from .sources.named_files import expand_home
from .sources.uri import absolute_source
from .watchdog import WatchdogConfig

__all__ = [
    "BrokerConfig",
    "Delivery",
    "DeviceConfig",
    "InferenceConfig",
    "OutboxConfig",
    "RuleConfig",
    "RunConfig",
    "default_device_name",
    "default_outbox_folder",
    "load_config",
    "load_inference",
]

Delivery: TypeAlias = Literal["receipt", "puback"]
Score: TypeAlias = Annotated[float, Meta(ge=0.0, le=1.0)]
Seconds: TypeAlias = Annotated[float, Meta(ge=0.0)]
PositiveSeconds: TypeAlias = Annotated[float, Meta(gt=0.0)]

_MAX_NAME = 64


def default_device_name() -> str:
    """The host's name, made fit for a topic; ``device`` where nothing of it is left."""
    host = socket.gethostname().split(".", 1)[0].lower()
    return re.sub(r"[^a-z0-9_-]+", "-", host).strip("-")[:_MAX_NAME] or "device"


def default_outbox_folder(site: str, device: str) -> Path:
    """Where state of a user's programs belongs (XDG), one folder a device."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "edge-sdk" / f"{site}.{device}"


class DeviceConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who we are: the two names in every topic."""

    site: TopicName = "default"
    name: TopicName = msgspec.field(default_factory=default_device_name)


class BrokerConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where alerts go.

    Attributes:
        url: ``mqtt://host[:port]``, or ``mqtts://`` for TLS.
        user, password_file: Else ``EDGE_SDK_MQTT_USER`` and ``EDGE_SDK_MQTT_PASSWORD``.
        ca, cert, key: PEM files: whom to believe, and who we are.
        receiver_id: The one receiver with a durable store whose receipts we wait for.
        delivery: ``receipt`` waits for that receiver, ``puback`` for the broker alone. By default
            ``receipt`` where a receiver is named.
    """

    url: str
    user: str | None = None
    password_file: str | None = None
    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    receiver_id: str | None = None
    delivery: Delivery | None = None

    @property
    def effective_delivery(self) -> Delivery:
        """What was asked for, or what follows from ``receiver_id``."""
        return self.delivery or ("receipt" if self.receiver_id else "puback")


class OutboxConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where alerts wait on disk. Without a folder: the user's state folder.

    Attributes:
        redirect_waiting: What waits for another broker is sent to this one; without it the device
            refuses to start while something does.
    """

    folder: str | None = None
    disk_budget_mb: Annotated[int, Meta(ge=1)] = 256
    redirect_waiting: bool = False


class InferenceConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the model runs.

    Attributes:
        variant: Only this one. By default what was picked on this device, else the first that the bundle
            prefers; where it does not work, the next.
        backends: Only these, in this order.
        threads: Threads that one inference may use.
        onnx, tensorrt: How these work.
    """

    variant: str | None = None
    backends: Annotated[list[BackendName], Meta(min_length=1)] | None = None
    threads: Annotated[int, Meta(ge=1, le=MAX_THREADS)] = 1
    onnx: OnnxOptions = OnnxOptions()
    tensorrt: TensorRtOptions = TensorRtOptions()

    def __post_init__(self) -> None:
        refuse_doubles("backends", self.backends)

    @property
    def options(self) -> EngineOptions:
        """How what runs the model works."""
        return EngineOptions(threads=self.threads, onnx=self.onnx, tensorrt=self.tensorrt)


class RuleConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What this device does otherwise than the bundle says, for one label. Seconds of sound."""

    threshold: Score | None = None
    release: Score | None = None
    hits: Annotated[int, Meta(ge=1)] | None = None
    within_s: PositiveSeconds | None = None
    min_gap_s: Seconds | None = None
    max_duration_s: PositiveSeconds | None = None
    update_every_s: Seconds | None = None


class RunConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that ``edge-sdk run`` needs. Paths are absolute once :func:`load_config` has read it."""

    bundle: str
    source: str
    device: DeviceConfig = msgspec.field(default_factory=DeviceConfig)
    broker: BrokerConfig
    outbox: OutboxConfig = OutboxConfig()
    inference: InferenceConfig = InferenceConfig()
    watchdog: WatchdogConfig = WatchdogConfig()
    rules: dict[str, RuleConfig] = {}
    require_sha256: str | None = None

    def __post_init__(self) -> None:
        if self.broker.effective_delivery == "receipt" and not self.broker.receiver_id:
            raise ValueError("delivery 'receipt' needs broker.receiver_id: whose receipts to wait for")

    @property
    def outbox_folder(self) -> Path:
        """The folder that was named, or the default for this device."""
        return (
            Path(self.outbox.folder)
            if self.outbox.folder
            else default_outbox_folder(self.device.site, self.device.name)
        )


class _InferenceFile(RunConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """CONFIG.toml, of which nothing need be there: who only measures has no broker yet."""

    bundle: str = ""
    source: str = ""
    broker: BrokerConfig = BrokerConfig(url="")


def load_inference(path: Path) -> InferenceConfig:
    """What CONFIG.toml says of inference; it may leave all the rest out, but what is there must hold.

    Raises:
        ConfigError: As :func:`load_config`.
        UsageError: The engines' folder begins with the home folder of a user who has none.
    """
    inference = load_toml(path, _InferenceFile, ConfigError).inference
    return _inference_from(path.absolute().parent, inference)


def load_config(path: Path) -> RunConfig:
    """Read CONFIG.toml; relative paths in it are taken from its own folder.

    Raises:
        ConfigError: It is missing, is no TOML, has a key that is not known (the nearest is named),
            or a value that does not hold.
        UsageError: A path begins with the home folder of a user who has none.
    """
    config = _load_whole(path)
    folder = path.absolute().parent
    broker = config.broker
    return msgspec.structs.replace(
        config,
        bundle=_from(folder, config.bundle),
        source=absolute_source(config.source, folder),
        broker=msgspec.structs.replace(
            broker,
            password_file=_from(folder, broker.password_file),
            ca=_from(folder, broker.ca),
            cert=_from(folder, broker.cert),
            key=_from(folder, broker.key),
        ),
        outbox=msgspec.structs.replace(config.outbox, folder=_from(folder, config.outbox.folder)),
        inference=_inference_from(folder, config.inference),
    )


def _load_whole(path: Path) -> RunConfig:
    try:
        return load_toml(path, RunConfig, ConfigError)
    except ConfigError as error:
        try:
            load_toml(path, _InferenceFile, ConfigError)
        except ConfigError:
            raise error from None
        hint = f"{error.hint}. As it is, verify, bench, predict and build take it behind --config"
        raise ConfigError(error.message, hint=hint) from error


def _inference_from(folder: Path, inference: InferenceConfig) -> InferenceConfig:
    tensorrt = msgspec.structs.replace(inference.tensorrt, cache=_from(folder, inference.tensorrt.cache))
    return msgspec.structs.replace(inference, tensorrt=tensorrt)


def _from(folder: Path, path: str | None) -> str | None:
    return None if path is None else str(folder / expand_home(path))

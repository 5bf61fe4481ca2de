"""Every error this SDK raises on purpose, in one tree.

::

    EdgeSdkError                  exit code 1: the work failed, or a gate refused
    ├── UsageError                exit code 2: wrong use, nothing was started
    │   ├── ConfigError           a device or monitor configuration does not hold
    │   ├── SpecError             a SPEC.toml does not hold, or contradicts the model
    │   └── MissingExtraError     an optional library is not installed
    ├── InputError                a file that was given cannot be used
    │   ├── AudioError            ... as sound
    │   ├── ImageError            ... as a picture or video
    │   ├── DatasetError          ... as labelled data
    │   └── ModelError            ... as a model
    ├── ContractError             data breaks the contract between the two sides
    │   ├── ManifestError         ... in a manifest
    │   ├── MessageError          ... in an MQTT payload or topic
    │   └── BundleError           ... in a bundle file
    │       ├── UnsafeArchiveError    the zip could write or grow where it must not
    │       └── DigestError           the bytes are not the ones the manifest names
    ├── BackendError              an inference engine failed to load or to run a model
    │   └── BackendUnavailableError   ... because its library, driver, device or built engine is not here
    ├── ConversionError           a model could not be converted
    │   └── GateRefusedError      no variant was good enough; nothing was written
    ├── VerificationError         a device computes something else than the workstation did
    ├── SourceError               a microphone, camera or recording stopped delivering
    └── MessagingError            alerts could not be stored, sent or received
        ├── BrokerError           the broker cannot be reached, or refuses
        ├── OutboxError           the outbox on disk cannot be used
        │   └── OutboxFailedError     ... by this process any more; a restart repairs it
        └── StoreError            the monitor's database cannot be used

A library's exception is wrapped once, where it enters, ``from`` the original.
"""

from __future__ import annotations

__all__ = [
    "AudioError",
    "BackendError",
    "BackendUnavailableError",
    "BrokerError",
    "BundleError",
    "ConfigError",
    "ContractError",
    "ConversionError",
    "DatasetError",
    "DigestError",
    "EdgeSdkError",
    "GateRefusedError",
    "ImageError",
    "InputError",
    "ManifestError",
    "MessageError",
    "MessagingError",
    "MissingExtraError",
    "ModelError",
    "OutboxError",
    "OutboxFailedError",
    "SourceError",
    "SpecError",
    "StoreError",
    "UnsafeArchiveError",
    "UsageError",
    "VerificationError",
]


class EdgeSdkError(Exception):
    """Something failed, and we know what.

    Args:
        message: What failed, on what (name the file, the model, the broker).
        hint: What the reader can do about it; shown on a line of its own.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\nhint: {self.hint}"


class UsageError(EdgeSdkError):
    """Wrong use: a missing file, a contradiction in the arguments. Nothing was started."""

    exit_code = 2


class ConfigError(UsageError):
    """A device or monitor configuration does not hold."""


class SpecError(UsageError):
    """A SPEC.toml does not hold, or contradicts the model it describes."""


class MissingExtraError(UsageError):
    """An optional library is not installed.

    Args:
        library: The import name that is missing, for example ``soundfile``.
        extra: The extra of this distribution that brings it, for example ``audio``.
    """

    def __init__(self, library: str, extra: str) -> None:
        super().__init__(
            f"the Python library '{library}' is not installed",
            hint=f"pip install './edge-sdk[{extra}]', where edge-sdk is this project's folder",
        )
        self.library = library
        self.extra = extra


class InputError(EdgeSdkError):
    """A file that was given cannot be used."""


class AudioError(InputError):
    """A file cannot be used as sound."""


class ImageError(InputError):
    """A file cannot be used as a picture or video."""


class DatasetError(InputError):
    """Files cannot be used as labelled data."""


class ModelError(InputError):
    """A file cannot be used as a model."""


class ContractError(EdgeSdkError):
    """Data breaks the contract between workstation, device and server."""


class ManifestError(ContractError):
    """A manifest does not hold."""


class MessageError(ContractError):
    """An MQTT payload or topic does not hold."""


class BundleError(ContractError):
    """A bundle file cannot be opened."""


class UnsafeArchiveError(BundleError):
    """The zip could write outside its folder, or unpack to more than it should."""


class DigestError(BundleError):
    """The bytes are not the ones the manifest names."""


class BackendError(EdgeSdkError):
    """An inference engine failed to load or to run a model."""


class BackendUnavailableError(BackendError):
    """What runs the model is not here: its library, driver, device or built engine. Nothing was run."""


class ConversionError(EdgeSdkError):
    """A model could not be converted."""


class GateRefusedError(ConversionError):
    """No variant was good enough, so nothing was written."""


class VerificationError(EdgeSdkError):
    """This machine computes something else than the workstation did."""


class SourceError(EdgeSdkError):
    """A microphone, camera or recording stopped delivering."""


class MessagingError(EdgeSdkError):
    """Alerts could not be stored, sent or received."""


class BrokerError(MessagingError):
    """The broker cannot be reached, or refuses us."""


class OutboxError(MessagingError):
    """The outbox on disk cannot be used."""


class OutboxFailedError(OutboxError):
    """This process cannot use the outbox any more: it is damaged. The next start keeps it aside."""


class StoreError(MessagingError):
    """The monitor's database cannot be used."""

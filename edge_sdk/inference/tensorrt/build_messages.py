"""What passes between ``edge-sdk build`` and the process that builds: JSON, a line each."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from .fingerprint import Fingerprint
from .refusal import Refusal
from .trial_mark import USUAL_SETTINGS, TrialSettings

__all__ = [
    "Absent",
    "Failed",
    "Finished",
    "Job",
    "Message",
    "Refused",
    "Trying",
    "Unfit",
    "Waiting",
    "Working",
    "decode_message",
]


class Job(Struct, frozen=True, kw_only=True):
    """What is to be done. The model follows it.

    Attributes:
        name: What to call the model.
        target: As :func:`.build_target.read_target` gives it.
        cache: Folder of the engines.
        workspace_mb: Memory that kernels may use beside weights and tensors.
        least_workspace_mb: With less than that, an engine that is there is built again.
        check_memory: Whether to refuse where there seems to be too little.
        model_bytes: Length of the model.
        settings: With which it is tried.
        task: To ``try`` the engine that is there, or to ``build`` one, unless somebody else just did;
            :func:`.make_engine` sets it.
    """

    name: str
    target: str
    cache: str
    workspace_mb: int
    check_memory: bool
    model_bytes: int
    least_workspace_mb: int = 0
    settings: TrialSettings = USUAL_SETTINGS
    task: Literal["try", "build"] = "build"


class Waiting(Struct, frozen=True, tag="waiting"):
    """Another process holds the folder.

    Attributes:
        process: Its id, where that is known.
    """

    process: int | None


class Working(Struct, frozen=True, tag="working"):
    """What is being done.

    Attributes:
        what: In a few words.
        share: Of the whole that is done, 0 to 1.
    """

    what: str
    share: float


class Trying(Struct, frozen=True, tag="trying"):
    """An engine is loaded now. A process that ends before it says another word was ended by that.

    Attributes:
        path: Where it is.
        settings: What comes of those of the job on this GPU.
        runs_otherwise: Whether it ran before with other settings.
    """

    path: str
    settings: TrialSettings
    runs_otherwise: bool


class Absent(Struct, frozen=True, tag="absent"):
    """There is no engine to be tried."""


class Unfit(Struct, frozen=True, tag="unfit"):
    """There is one, which is damaged, does not run or is not what was asked for.

    Attributes:
        message: What is wrong with it.
        runs_otherwise: Whether it ran before with other settings: these are at fault, and who runs it with
            the others keeps it.
    """

    message: str
    hint: str | None
    runs_otherwise: bool = False


class Finished(Struct, frozen=True, kw_only=True, tag="finished"):
    """There is an engine.

    Attributes:
        status: Whether it was built now.
        path: Where it is.
        bytes: Size of the file.
        seconds: The build took; 0 where it was found.
        here: Whether it is for the GPU of this computer.
        tried: Whether it ran on that.
        removed: Engines that it takes the place of.
    """

    status: Literal["built", "found"]
    path: str
    bytes: int
    fingerprint: Fingerprint
    seconds: float = 0.0
    here: bool = False
    tried: bool = False
    removed: list[str] = []


class Refused(Struct, frozen=True, tag="refused"):
    """The model cannot be built.

    Attributes:
        builder: Name and version of what refuses it.
    """

    builder: str
    refusals: list[Refusal]


class Failed(Struct, frozen=True, tag="failed"):
    """An error of ours.

    Attributes:
        wrong_use: Whether nothing was started because of what was asked for.
    """

    message: str
    hint: str | None
    wrong_use: bool


Message: TypeAlias = "Waiting | Working | Trying | Absent | Unfit | Finished | Refused | Failed"

_MESSAGES = msgspec.json.Decoder(Waiting | Working | Trying | Absent | Unfit | Finished | Refused | Failed)


def decode_message(line: bytes) -> Message:
    """Read a line.

    Raises:
        ValueError: It is no message.
    """
    try:
        message: Message = _MESSAGES.decode(line)
    except UnicodeDecodeError as error:
        raise ValueError(str(error)) from error
    return message

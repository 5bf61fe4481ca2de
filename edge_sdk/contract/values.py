"""The values that travel from air to alert inside one process.

All are immutable. Positions and lengths are whole samples at the rate that the value names, so
nothing drifts; seconds are for people. They are msgspec structs, which cost a fraction of a
dataclass to define and to make, and are never serialized themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from msgspec import Struct

__all__ = [
    "Array",
    "AudioBlock",
    "AudioWindow",
    "Box",
    "ClockSource",
    "Detections",
    "End",
    "EndReason",
    "Event",
    "EventType",
    "Float32Array",
    "Frame",
    "Gap",
    "Pixels",
    "SourceItem",
    "TensorSpec",
    "WindowScores",
]

Array: TypeAlias = npt.NDArray[Any]
Float32Array: TypeAlias = npt.NDArray[np.float32]
Pixels: TypeAlias = npt.NDArray[np.uint8]
"""A picture: uint8, shape ``[height, width, 3]``, channels blue, green, red as OpenCV has them."""
Box: TypeAlias = tuple[float, float, float, float]
"""``x1, y1, x2, y2`` in pixels of the picture; its left upper corner is 0, 0."""

EventType: TypeAlias = Literal["new", "update", "end"]
EndReason: TypeAlias = Literal[
    "silence",  # the score stayed below `release` for longer than `min_gap`
    "max_duration",  # the event was cut; a sound that goes on opens the next one
    "source_lost",  # a gap longer than the rule's `min_gap`
    "source_ended",  # the recording is over
    "stopped",  # the device was asked to stop
    "restarted",  # the device died while the event was open
]
ClockSource: TypeAlias = Literal["system", "ntp", "gps", "file_name", "file_mtime"]


class AudioBlock(Struct, frozen=True):
    """Sound that follows what came before without a break.

    Attributes:
        samples: Mono, float32, full scale is 1.0, shape ``[n]``. Owned by the receiver.
        sample_rate_hz: Samples per second.
    """

    samples: Float32Array
    sample_rate_hz: int


class Gap(Struct, frozen=True):
    """A stretch that was not heard.

    Attributes:
        samples: Its length, in samples at ``sample_rate_hz``. 0 where it is unknown.
        sample_rate_hz: Samples per second.
        reason: Why, for the log and for coverage: ``"overrun"``, ``"not contiguous"``, ...
        resumes_at: Wall time (UTC) of the first sample after the gap, where it is known.
    """

    samples: int
    sample_rate_hz: int
    reason: str
    resumes_at: datetime | None = None


class End(Struct, frozen=True):
    """Nothing more will come from this source."""

    reason: Literal["source_ended", "stopped"] = "source_ended"


SourceItem: TypeAlias = AudioBlock | Gap | End


class AudioWindow(Struct, frozen=True):
    """One model input's worth of sound.

    Attributes:
        start: First sample, counted from the start of the source at the model's rate.
        features: What the model takes; shape as the manifest's front end gives it, without the
            batch axis. Owned by the receiver.
        level_dbfs: Root mean square level of the window in dB relative to a full-scale sine's
            peak; -inf for digital silence.
    """

    start: int
    features: Float32Array
    level_dbfs: float


class Frame(Struct, frozen=True):
    """One picture of a video, or a picture on its own.

    Attributes:
        pixels: The picture, upright. Owned by the receiver.
        index: Its number since the start of the source.
        time_s: When it is shown, from the start of the video; None where that is not known.
    """

    pixels: Pixels
    index: int = 0
    time_s: float | None = None


class Detections(Struct, frozen=True):
    """What a detector found in one picture, best first.

    Attributes:
        boxes: float32, shape ``[n, 4]``: ``x1, y1, x2, y2``, within the picture.
        scores: float32, shape ``[n]``, 0..1.
        labels: int64, shape ``[n]``: which of the model's labels, from 0.
    """

    boxes: Float32Array
    scores: Float32Array
    labels: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.scores)


class TensorSpec(Struct, frozen=True):
    """One input or output of a model.

    Attributes:
        name: The tensor's name in the model file.
        shape: Its extent; ``None`` where the model leaves it open.
        dtype: NumPy's name of the element type, for example ``"float32"``.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str


class WindowScores(Struct, frozen=True):
    """What a model said about one window.

    Attributes:
        start: First sample of the window, counted from the start of the source at the model's rate.
        stop: One past its last sample.
        scores: Score 0..1 by label id.
        level_dbfs: Root mean square level of the window in dB relative to a full-scale sine's
            peak; -inf for digital silence.
    """

    start: int
    stop: int
    scores: Mapping[str, float]
    level_dbfs: float


class Event(Struct, frozen=True):
    """What the event rule decided, in samples at the model's rate.

    ``(label_id, start)`` names one event: all its values share it.

    Attributes:
        type: ``new`` once, any number of ``update``, ``end`` once.
        label_id: The label that was heard.
        start: First sample of the first window that counted.
        stop: One past the last sample of the last window at or over ``release``.
        score: The peak so far, 0..1.
        threshold: What the score had to reach.
        level_dbfs: Level of the window that gave the peak.
        end_reason: Why it ended; only with ``end``.
        decided_at: The sample up to which sound had been heard when this was decided.
    """

    type: EventType
    label_id: str
    start: int
    stop: int
    score: float
    threshold: float
    level_dbfs: float
    decided_at: int
    end_reason: EndReason | None = None

"""``[audio]`` of a SPEC.toml: window, step and front end, from seconds to whole samples."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from edge_sdk.contract.audio import FrontEnd, LogMel, Waveform, frame_count, validate_window
from edge_sdk.contract.identifiers import PositiveInt
from edge_sdk.contract.manifest import AudioInput
from edge_sdk.errors import SpecError

__all__ = ["AudioSpec", "LogMelSpec", "build_audio_input", "windows_with_frames"]

PositiveSeconds = Annotated[float, Meta(gt=0.0)]


class LogMelSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[audio.log_mel]``: the fields of :class:`edge_sdk.contract.audio.LogMel`.

    As in librosa, ``win_length`` defaults to ``n_fft``, ``fmin_hz`` to 0 and ``fmax_hz`` to half
    the sample rate. Setting ``top_db`` to 0 switches it off (TOML has no null).
    """

    n_fft: PositiveInt
    hop: PositiveInt
    n_mels: PositiveInt
    win_length: PositiveInt | None = None
    fmin_hz: float = 0.0
    fmax_hz: float | None = None
    mel_scale: Literal["slaney", "htk"] = "slaney"
    mel_norm: Literal["slaney", "none"] = "slaney"
    mel_triangles: Literal["hertz", "mel"] = "hertz"
    power: float = 2.0
    center: bool = True
    framing: Literal["librosa", "tensorflow"] = "librosa"
    scale: Literal["db", "log"] = "db"
    db_ref: float | Literal["max"] = 1.0
    amin: float = 1e-10
    top_db: float = 80.0
    log_offset: float = 0.0
    clip: tuple[float, float] | None = None
    mean: float = 0.0
    std: float = 1.0
    layout: Literal["time_mel", "mel_time"] = "time_mel"


class AudioSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[audio]``: window and step each in seconds or in samples."""

    sample_rate_hz: PositiveInt
    window_s: PositiveSeconds | None = None
    window_samples: PositiveInt | None = None
    step_s: PositiveSeconds | None = None
    step_samples: PositiveInt | None = None
    log_mel: LogMelSpec | None = None


def build_audio_input(path: Path, audio: AudioSpec, tensor_name: str) -> AudioInput:
    """The manifest's input for ``[audio]``.

    Raises:
        SpecError: A parameter out of range, a window too short for one frame, or a step that is no
            multiple of the hop; the message names the nearest steps.
    """
    window = _samples(path, "window", audio.window_s, audio.window_samples, audio.sample_rate_hz)
    step = _samples(path, "step", audio.step_s, audio.step_samples, audio.sample_rate_hz)
    try:
        front_end = _front_end(audio)
        validate_window(front_end, window, step)
    except ValueError as error:
        raise SpecError(f"{path}: [audio]: {error}") from error
    return AudioInput(
        name=tensor_name,
        sample_rate_hz=audio.sample_rate_hz,
        window_samples=window,
        step_samples=step,
        front_end=front_end,
    )


def windows_with_frames(front_end: LogMel, frames: int) -> range:
    """The window lengths in samples that give exactly that number of frames; empty if none does."""
    frame = front_end.n_fft if front_end.framing == "librosa" else front_end.win_length
    padding = 2 * (front_end.n_fft // 2) if front_end.center else 0
    first = frame - padding + (frames - 1) * front_end.hop
    lengths = range(max(1, first), max(1, first + front_end.hop))
    return lengths if lengths and frame_count(front_end, lengths[0]) == frames else range(0)


def _samples(path: Path, what: str, seconds: float | None, samples: int | None, rate: int) -> int:
    if (seconds is None) == (samples is None):
        raise SpecError(f"{path}: [audio] needs either {what}_s or {what}_samples")
    return samples if samples is not None else max(1, round((seconds or 0.0) * rate))


def _front_end(audio: AudioSpec) -> FrontEnd:
    mel, rate = audio.log_mel, audio.sample_rate_hz
    if mel is None:
        return Waveform(sample_rate_hz=rate)
    return LogMel(
        sample_rate_hz=rate,
        n_fft=mel.n_fft,
        win_length=mel.win_length or mel.n_fft,
        hop=mel.hop,
        n_mels=mel.n_mels,
        fmin_hz=mel.fmin_hz,
        fmax_hz=rate / 2 if mel.fmax_hz is None else mel.fmax_hz,
        mel_scale=mel.mel_scale,
        mel_norm=mel.mel_norm,
        mel_triangles=mel.mel_triangles,
        power=mel.power,
        center=mel.center,
        framing=mel.framing,
        scale=mel.scale,
        db_ref=mel.db_ref,
        amin=mel.amin,
        top_db=mel.top_db or None,
        log_offset=mel.log_offset,
        clip=mel.clip,
        mean=mel.mean,
        std=mel.std,
        layout=mel.layout,
    )

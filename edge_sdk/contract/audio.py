"""What a sound model is fed: the front ends and every parameter they have.

The names and defaults are those of ``librosa.feature.melspectrogram`` followed by
``librosa.power_to_db``, so that a training script can be copied field by field. What
computes them lives in :mod:`edge_sdk.signal`; here is only what workstation and
device must agree on.
"""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import msgspec

__all__ = [
    "FrontEnd",
    "LogMel",
    "Waveform",
    "feature_shape",
    "frame_count",
    "validate_window",
]

_MAX_RATE_HZ = 768_000
_MAX_FFT = 65_536
_MAX_MELS = 1_024


class Waveform(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=False,
    tag_field="front_end",
    tag="waveform",
):
    """The model takes the samples themselves: float32 mono in -1..1.

    Attributes:
        sample_rate_hz: Samples a second that the model was trained on.
    """

    sample_rate_hz: int

    def __post_init__(self) -> None:
        _validate_rate(self.sample_rate_hz)


class LogMel(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=False,
    tag_field="front_end",
    tag="log_mel",
):
    """The model takes a log-mel spectrogram of each window.

    The stages, in this order: frames, periodic Hann window, FFT, magnitude to the
    ``power``, mel filters, logarithm, ``top_db``, ``clip``, ``(x - mean) / std``,
    ``layout``. Everything that looks at more than one frame (``db_ref="max"``,
    ``top_db``) looks at exactly one window, never at a whole recording.

    Attributes:
        sample_rate_hz: Samples a second that the model was trained on.
        n_fft: FFT length in samples.
        win_length: Length of the Hann window in samples, at most ``n_fft``.
        hop: Samples from one frame to the next.
        n_mels: Number of mel bands.
        fmin_hz: Lower edge of the lowest band.
        fmax_hz: Upper edge of the highest band, at most half the sample rate.
        mel_scale: ``slaney`` (linear below 1 kHz) or ``htk`` (2595 log10(1 + f/700)).
        mel_norm: ``slaney`` divides each filter by its width, ``none`` leaves peaks at 1.
        mel_triangles: Filters are straight lines over ``hertz`` (librosa) or over
            ``mel`` (``tf.signal.linear_to_mel_weight_matrix``).
        power: 2.0 for the power spectrum, 1.0 for magnitudes.
        center: Pad the window with ``n_fft // 2`` zeros at both ends, so that frame
            ``t`` is centred at sample ``t * hop``. Only with ``framing="librosa"``.
        framing: ``librosa``: a frame is ``n_fft`` samples with the Hann window in its
            middle. ``tensorflow``: a frame is ``win_length`` samples, padded with
            zeros to ``n_fft`` at its end, as ``tf.signal.stft`` does.
        scale: ``db`` is 10 log10 of power (20 log10 of magnitude) relative to
            ``db_ref``; ``log`` is the natural logarithm of ``x + log_offset``.
        db_ref: ``db`` only: level of 0 dB, a number or ``max`` for the largest of the window.
        amin: Smaller values are raised to this before the logarithm, so that silence is finite.
        top_db: ``db`` only: nothing is further below the window's maximum; null is off.
        log_offset: ``log`` only: added before the logarithm (YAMNet: 0.001).
        clip: ``[low, high]`` limits on the logarithm; null is off.
        mean: Subtracted last.
        std: Divided by last.
        layout: ``time_mel`` is ``[frames, n_mels]``, ``mel_time`` its transpose.
    """

    sample_rate_hz: int
    n_fft: int
    win_length: int
    hop: int
    n_mels: int
    fmin_hz: float
    fmax_hz: float
    mel_scale: Literal["slaney", "htk"] = "slaney"
    mel_norm: Literal["slaney", "none"] = "slaney"
    mel_triangles: Literal["hertz", "mel"] = "hertz"
    power: float = 2.0
    center: bool = True
    framing: Literal["librosa", "tensorflow"] = "librosa"
    scale: Literal["db", "log"] = "db"
    db_ref: float | Literal["max"] = 1.0
    amin: float = 1e-10
    top_db: float | None = 80.0
    log_offset: float = 0.0
    clip: tuple[float, float] | None = None
    mean: float = 0.0
    std: float = 1.0
    layout: Literal["time_mel", "mel_time"] = "time_mel"

    def __post_init__(self) -> None:
        _validate_rate(self.sample_rate_hz)
        _validate_frames(self)
        _validate_bands(self)
        _validate_level(self)


FrontEnd: TypeAlias = LogMel | Waveform
"""What turns one window of samples into what the model takes."""


def frame_count(front_end: LogMel, samples: int) -> int:
    """How many frames the spectrogram of a window has; 0 where it is too short for one.

    Args:
        front_end: The spectrogram's parameters.
        samples: Length of the window in samples.
    """
    frame = front_end.n_fft if front_end.framing == "librosa" else front_end.win_length
    padding = 2 * (front_end.n_fft // 2) if front_end.center else 0
    if samples < 1 or samples + padding < frame:
        return 0
    return 1 + (samples + padding - frame) // front_end.hop


def feature_shape(front_end: FrontEnd, window_samples: int) -> tuple[int, ...]:
    """The shape of one window's features, without a batch axis.

    Returns:
        ``(window_samples,)`` for a waveform; for a spectrogram ``(frames, n_mels)``,
        or ``(n_mels, frames)`` where its layout is ``mel_time``.
    """
    if isinstance(front_end, Waveform):
        return (window_samples,)
    frames = frame_count(front_end, window_samples)
    if front_end.layout == "mel_time":
        return (front_end.n_mels, frames)
    return (frames, front_end.n_mels)


def validate_window(front_end: FrontEnd, window_samples: int, step_samples: int) -> None:
    """Refuse a window or step that the front end cannot be streamed with.

    Args:
        front_end: What the window is turned into.
        window_samples: Length of a window in samples.
        step_samples: Samples from the start of one window to the next.

    Raises:
        ValueError: A window too short for one frame; a step that is longer than the
            window (sound between two windows would never be heard); a step that is no
            multiple of the hop (windows would share no frames). Names the nearest steps.
    """
    if window_samples < 1 or step_samples < 1:
        raise ValueError(
            f"window and step must be at least 1 sample, not {window_samples} and {step_samples}"
        )
    if step_samples > window_samples:
        raise ValueError(
            f"the step of {step_samples} samples is longer than the window of {window_samples}: "
            "the sound between two windows would never be heard"
        )
    if isinstance(front_end, Waveform):
        return
    if frame_count(front_end, window_samples) == 0:
        raise ValueError(
            f"a window of {window_samples} samples is too short for one frame "
            f"(n_fft {front_end.n_fft}, win_length {front_end.win_length})"
        )
    if step_samples % front_end.hop:
        raise ValueError(_step_message(front_end, window_samples, step_samples))


def _step_message(front_end: LogMel, window_samples: int, step_samples: int) -> str:
    lower = step_samples // front_end.hop * front_end.hop
    nearest = [step for step in (lower, lower + front_end.hop) if 0 < step <= window_samples]
    choices = " or ".join(f"{step} samples ({step / front_end.sample_rate_hz:.4f} s)" for step in nearest)
    message = f"the step of {step_samples} samples is not a multiple of the hop of {front_end.hop}"
    return f"{message}; the nearest are {choices}" if nearest else message


def _validate_rate(sample_rate_hz: int) -> None:
    if not 1 <= sample_rate_hz <= _MAX_RATE_HZ:
        raise ValueError(f"sample_rate_hz must be 1..{_MAX_RATE_HZ}, not {sample_rate_hz}")


def _validate_frames(front_end: LogMel) -> None:
    n_fft, win_length, hop = front_end.n_fft, front_end.win_length, front_end.hop
    if not 2 <= n_fft <= _MAX_FFT:
        raise ValueError(f"n_fft must be 2..{_MAX_FFT}, not {n_fft}")
    if not 2 <= win_length <= n_fft:
        raise ValueError(f"win_length must be 2..n_fft ({n_fft}), not {win_length}")
    if not 1 <= hop <= win_length:
        raise ValueError(f"hop must be 1..win_length ({win_length}), not {hop}")
    if front_end.center and front_end.framing == "tensorflow":
        raise ValueError('center=true needs framing="librosa": tf.signal.stft does not centre')


def _validate_bands(front_end: LogMel) -> None:
    if not 1 <= front_end.n_mels <= _MAX_MELS:
        raise ValueError(f"n_mels must be 1..{_MAX_MELS}, not {front_end.n_mels}")
    nyquist = front_end.sample_rate_hz / 2
    if not 0 <= front_end.fmin_hz < front_end.fmax_hz <= nyquist:
        raise ValueError(
            f"0 <= fmin_hz < fmax_hz <= {nyquist:g} (half the sample rate) does not hold "
            f"for fmin_hz {front_end.fmin_hz:g} and fmax_hz {front_end.fmax_hz:g}"
        )
    if front_end.power not in (1.0, 2.0):
        raise ValueError(f"power must be 1.0 or 2.0, not {front_end.power:g}")


def _validate_level(front_end: LogMel) -> None:
    for name in ("mean", "log_offset"):
        if not math.isfinite(getattr(front_end, name)):
            raise ValueError(f"{name} must be a finite number")
    if front_end.log_offset < 0:
        raise ValueError(f"log_offset must not be negative, not {front_end.log_offset:g}")
    if front_end.db_ref != "max":
        _validate_positive("db_ref", front_end.db_ref)
    if front_end.top_db is not None:
        _validate_positive("top_db", front_end.top_db)
    _validate_positive("amin", front_end.amin)
    _validate_positive("std", front_end.std)
    if front_end.clip is not None:
        low, high = front_end.clip
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"clip must be two finite numbers in rising order, not {low}, {high}")


def _validate_positive(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name} must be a finite number above 0, not {value}")

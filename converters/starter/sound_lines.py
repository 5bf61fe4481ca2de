"""``[audio]`` of a spec to begin with."""

from __future__ import annotations

from edge_sdk.contract.values import TensorSpec
from edge_sdk.errors import UsageError
from edge_sdk.inference.backend import describe_tensor

from .lines import Lines, fill_in, known

__all__ = ["sound_lines"]

_RULES = (
    "# When scores become an event. Without a rule labels are scored, and never alert.",
    "# [default_rule]",
    "# threshold = 0.8",
    "# release = 0.5",
    "# hits = 2",
    "# within_s = 4.0",
)
_DEFAULTS = (
    "# Where your training script says nothing else, these hold, as in librosa:",
    "#   win_length = n_fft, fmin_hz = 0, fmax_hz = half the rate, center = true, power = 2.0,",
    '#   mel_scale = "slaney", mel_norm = "slaney", db_ref = 1.0, amin = 1e-10, top_db = 80.0,',
    "#   mean = 0.0, std = 1.0",
    '# power_to_db(ref=np.max) is db_ref = "max"; no top_db is 0;',
    '# tf.signal.stft is center = false, framing = "tensorflow".',
)


def sound_lines(model: str, taken: TensorSpec) -> Lines:
    """Window, step and front end for a model that listens.

    Raises:
        UsageError: The model's input is neither a waveform nor a spectrogram.
    """
    extents = _extents(taken)
    lines = ["[audio]", fill_in("sample_rate_hz", "of the sound that it was trained on")]
    if len(extents) == 1:
        return [*lines, *_waveform(extents[0]), "", *_RULES]
    if len(extents) != 2 or taken.dtype != "float32":
        raise UsageError(
            f"{model} takes {describe_tensor(taken)}, which is neither a waveform nor a spectrogram",
            hint="is it a model for pictures? --task picture",
        )
    return [*lines, *_log_mel(*extents), "", *_RULES]


def _extents(taken: TensorSpec) -> list[int | None]:
    """Without the batch axis, and without axes of 1."""
    shape = taken.shape[1:] if len(taken.shape) > 1 else taken.shape
    return [extent for extent in shape if extent != 1]


def _waveform(samples: int | None) -> Lines:
    step = fill_in("step_s", "from one window to the next; a quarter of the window is usual")
    if samples is None:
        return ["# The model takes the waveform, of any length.", fill_in("window_s", "as in training"), step]
    return [known("window_samples", samples, "the model takes the waveform: so many samples"), step]


def _log_mel(first: int | None, second: int | None) -> Lines:
    sizes = ["any number of" if extent is None else str(extent) for extent in (first, second)]
    return [
        fill_in("window_s", "as in training; `convert` says which windows give the model's frames"),
        fill_in("step_s", "a multiple of the hop; a quarter of the window is usual"),
        "",
        "[audio.log_mel]",
        f"# The model takes {sizes[0]} x {sizes[1]}.",
        fill_in("layout", f"'time_mel': {sizes[0]} frames of {sizes[1]} mels; 'mel_time': the other way"),
        fill_in("n_mels", "the one of the two that counts mel bands"),
        fill_in("n_fft", "samples"),
        fill_in("hop", "samples; librosa's hop_length"),
        *_DEFAULTS,
    ]

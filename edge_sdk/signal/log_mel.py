"""The log-mel spectrogram of one window, equal to librosa's.

``librosa.feature.melspectrogram`` followed by ``power_to_db`` (``amplitude_to_db``
for ``power=1``), or the front end of TensorFlow models built on ``tf.signal``, as
YAMNet's. The definitions are the libraries' published ones (McFee et al., librosa:
Audio and Music Signal Analysis in Python, SciPy 2015); tests hold both to 1e-3 dB.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..contract.audio import LogMel, frame_count
from ..contract.values import Float32Array
from ..errors import InputError
from .mel_frames import MelFrames, finish_window

__all__ = ["LogMelExtractor"]


class LogMelExtractor:
    """Turns windows of samples into log-mel spectrograms, each on its own.

    Holds a workspace: one object, one thread.

    Args:
        front_end: The spectrogram's parameters.
    """

    def __init__(self, front_end: LogMel) -> None:
        self.front_end = front_end
        self._frames = MelFrames(front_end)

    def __call__(self, samples: npt.NDArray[np.floating]) -> Float32Array:
        """Compute one window's features.

        Args:
            samples: Mono in -1..1, finite, at the front end's sample rate, shape ``[n]``.

        Returns:
            A new float32 array ``[frames, n_mels]``, or ``[n_mels, frames]`` where the
            layout is ``mel_time``.

        Raises:
            InputError: Not one-dimensional floating-point sound, or too short for a frame.
        """
        window = np.ascontiguousarray(require_mono(samples), dtype=np.float32)
        front_end = self.front_end
        if frame_count(front_end, len(window)) == 0:
            raise InputError(
                f"{len(window)} samples are too short for one spectrogram frame",
                hint=f"n_fft is {front_end.n_fft}, win_length {front_end.win_length}",
            )
        levels = self._frames.window_levels(window)
        return finish_window(levels, front_end, out=levels)


def require_mono(samples: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Refuse arrays that are not one channel of sound.

    Raises:
        InputError: Whole numbers, whose full scale nobody knows here, or several channels.
    """
    if samples.ndim != 1 or samples.dtype.kind != "f":
        raise InputError(
            f"sound must be one channel of floating-point samples, "
            f"not {samples.dtype} of shape {samples.shape}",
            hint="divide 16-bit samples by 32768; choose or mix channels",
        )
    return samples

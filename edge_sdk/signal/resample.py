"""A stream of samples to another sample rate, by soxr.

soxr's high-quality linear-phase filter (R. Sylvain, The SoX Resampler library) keeps
its state between blocks, so that the result does not depend on how a stream is cut.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..contract.values import Float32Array
from ..errors import MissingExtraError, UsageError

__all__ = ["StreamResampler", "resample"]


class StreamResampler:
    """Resamples mono float32 sound block by block.

    The output lags behind the input by the length of soxr's filter (346 input samples
    from 44.1 to 16 kHz); :meth:`flush` gives what is held back. With equal rates
    blocks pass unchanged and soxr is not loaded.

    Args:
        from_hz: Sample rate of what comes in.
        to_hz: Sample rate of what goes out.

    Raises:
        UsageError: A rate below 1 Hz.
        MissingExtraError: soxr is needed and not installed.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        if from_hz < 1 or to_hz < 1:
            raise UsageError(f"sample rates must be at least 1 Hz, not {from_hz} and {to_hz}")
        self._soxr = None if from_hz == to_hz else _open_stream(from_hz, to_hz)

    def process(self, block: Float32Array) -> Float32Array:
        """Give what can be computed so far.

        Args:
            block: Shape ``[n]``, follows the block before without a break.

        Returns:
            Shape ``[m]``, often empty at first. ``block`` itself where rates are equal.
        """
        if self._soxr is None:
            return block
        resampled: Float32Array = self._soxr.resample_chunk(np.ascontiguousarray(block))
        return resampled

    def flush(self) -> Float32Array:
        """Give the rest of a sound that is over; the next block begins a new one."""
        nothing: Float32Array = np.zeros(0, dtype=np.float32)
        if self._soxr is None:
            return nothing
        tail: Float32Array = self._soxr.resample_chunk(nothing, last=True)
        self.reset()
        return tail

    def reset(self) -> None:
        """Forget all sound, as after a gap; what was held back is lost."""
        if self._soxr is not None:
            self._soxr.clear()


def resample(samples: Float32Array, from_hz: int, to_hz: int) -> Float32Array:
    """Resample a whole sound: bit for bit what streaming it gives.

    Args:
        samples: Mono, shape ``[n]``.
        from_hz: Its sample rate.
        to_hz: The sample rate of the result.

    Returns:
        float32 ``[m]``; ``m`` is ``n * to_hz / from_hz``, rounded. A new array.

    Raises:
        UsageError: A rate below 1 Hz.
        MissingExtraError: soxr is needed and not installed.
    """
    resampler = StreamResampler(from_hz, to_hz)
    return np.concatenate([resampler.process(samples), resampler.flush()])


def _open_stream(from_hz: int, to_hz: int) -> Any:
    try:
        import soxr
    except ImportError as error:
        raise MissingExtraError("soxr", "audio") from error
    return soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality="HQ")

"""Writing sound to disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..contract.values import Float32Array
from ..errors import MissingExtraError

__all__ = ["write_wav"]


def write_wav(path: Path, samples: Float32Array, sample_rate_hz: int) -> None:
    """Write mono 16-bit PCM; a louder peak than full scale is scaled down, never clipped.

    Args:
        path: Where; folders are made.
        samples: Float32, shape ``[n]``.
        sample_rate_hz: Samples per second.

    Raises:
        MissingExtraError: The library that writes sound is not installed.
    """
    try:
        import soundfile
    except ImportError as error:
        raise MissingExtraError("soundfile", "audio") from error
    peak = float(np.abs(samples).max(initial=0.0))
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples / max(1.0, peak), sample_rate_hz, subtype="PCM_16")

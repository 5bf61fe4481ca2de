"""What a forest, the distance and a cheap recorder do to a sound.

Functions take and give mono float32 samples at ``SAMPLE_RATE_HZ``; all randomness comes from
the generator that is passed in.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from .dataset import SAMPLE_RATE_HZ, Samples

_RESPONSE_SAMPLES = 40_000  # 2.5 s; a size that transforms fast
_BAND_EDGES_HZ = (0.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)


def rms(sound: Samples) -> float:
    """Root mean square, never zero."""
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64)) + 1e-20))


def loudest(sound: Samples, seconds: float) -> tuple[int, float]:
    """Where the strongest stretch of that length starts, and its root mean square.

    The rumble below 150 Hz does not count: wind on a microphone would drown everything.
    """
    length = max(1, min(int(seconds * SAMPLE_RATE_HZ), sound.size))
    power = np.cumsum(np.square(highpass(sound, 150.0), dtype=np.float64))
    stretches = power[length - 1 :] - np.concatenate([[0.0], power[:-length]])
    start = int(np.argmax(stretches))
    return start, float(np.sqrt(max(stretches[start], 0.0) / length + 1e-20))


def _fast_size(size: int) -> int:
    """The next power of two: transforms of odd sizes are many times slower."""
    return 1 << (size - 1).bit_length()


def _filter(sound: Samples, gain: NDArray[np.float64]) -> Samples:
    size = _fast_size(sound.size)
    return np.fft.irfft(np.fft.rfft(sound, size) * gain.astype(np.float32), size)[: sound.size].astype(
        np.float32
    )


def _frequencies(sound: Samples) -> NDArray[np.float64]:
    return np.asarray(np.fft.rfftfreq(_fast_size(sound.size), 1.0 / SAMPLE_RATE_HZ))


def lowpass(sound: Samples, cutoff_hz: float, order: float) -> Samples:
    """A Butterworth magnitude; ``order`` 1 is 6 dB per octave."""
    ratio = _frequencies(sound) / cutoff_hz
    return _filter(sound, 1.0 / np.sqrt(1.0 + ratio ** (2.0 * order)))


def highpass(sound: Samples, cutoff_hz: float) -> Samples:
    """Second order Butterworth magnitude."""
    ratio = _frequencies(sound) / cutoff_hz
    return _filter(sound, ratio**2 / np.sqrt(1.0 + ratio**4))


def tilt(sound: Samples, db_per_octave: float) -> Samples:
    """Turns the spectrum around 1 kHz, as microphones and their housings do."""
    octaves = np.log2(np.maximum(_frequencies(sound), 50.0) / 1000.0)
    return _filter(sound, 10.0 ** (db_per_octave * octaves / 20.0))


def forest_response(rng: np.random.Generator, distance: float) -> Samples:
    """An impulse response: the direct sound, scattering by trunks and leaves, some far echoes.

    Args:
        rng: Source of all randomness.
        distance: 0 (beside the microphone) to 1 (as far as it can be heard).
    """
    length = _RESPONSE_SAMPLES
    time_s = np.arange(length) / SAMPLE_RATE_HZ
    noise = np.fft.rfft(rng.normal(size=length).astype(np.float32))
    hz = np.fft.rfftfreq(length, 1.0 / SAMPLE_RATE_HZ)
    decay_s = rng.uniform(0.3, 1.0 + 2.5 * distance)
    tail = np.zeros(length)
    for low, high in itertools.pairwise(_BAND_EDGES_HZ):
        band = np.fft.irfft(noise * ((hz >= low) & (hz < high)), length)
        band_decay_s = decay_s * (max(high, 250.0) / 500.0) ** -0.4  # treble dies first
        tail += band * np.exp(-6.9 * time_s / band_decay_s)
    tail *= 1.0 - np.exp(-time_s / rng.uniform(1e-3, 0.005 + 0.06 * distance))
    tail /= np.sqrt(np.sum(tail**2))
    direct_to_tail_db = rng.uniform(-6.0, 6.0) + 18.0 * (1.0 - distance) - 6.0
    response = tail * 10 ** (-direct_to_tail_db / 20.0)
    response[0] += 1.0
    for _ in range(int(rng.integers(0, 4))):
        at = int(rng.uniform(0.1, 1.6) * SAMPLE_RATE_HZ)
        response[at:] += tail[: length - at] * 10 ** rng.uniform(-1.2, -0.3)
    return response.astype(np.float32)


def convolve(sound: Samples, response: Samples) -> Samples:
    """The sound as it arrives, with its tail: ``sound.size + response.size - 1`` samples."""
    size = sound.size + response.size - 1
    padded = _fast_size(size)
    spectrum = np.fft.rfft(sound, padded) * np.fft.rfft(response, padded)
    return np.fft.irfft(spectrum, padded)[:size].astype(np.float32)


def distant(sound: Samples, rng: np.random.Generator, distance: float) -> Samples:
    """The sound heard from afar: echoes, and air and leaves that swallow the treble."""
    heard = convolve(sound, forest_response(rng, distance))
    cutoff_hz = 8000.0 * 10 ** (-distance * rng.uniform(0.3, 1.1))
    return lowpass(heard, cutoff_hz, rng.uniform(0.7, 2.0))


def change_speed(sound: Samples, factor: float) -> Samples:
    """Plays the sound faster (over 1) or slower, which shifts its pitch along."""
    places = np.arange(0.0, sound.size - 1, factor)
    return np.asarray(np.interp(places, np.arange(sound.size), sound), np.float32)


def interrupted(sound: Samples, rng: np.random.Generator) -> Samples:
    """The sound starting or stopping in the middle: abrupt, and yet no shot."""
    fade = int(rng.uniform(0.005, 0.15) * SAMPLE_RATE_HZ)
    at = int(rng.uniform(0.15, 0.85) * sound.size)
    ramp = np.clip((np.arange(sound.size) - at) / fade, 0.0, 1.0)
    gate = ramp if rng.random() < 0.5 else 1.0 - ramp
    return (sound * gate).astype(np.float32)


def record(sound: Samples, rng: np.random.Generator, level_db: float) -> Samples:
    """What a recorder makes of a scene: its tilt, band, gain, self-noise and clipping.

    Args:
        sound: The scene.
        rng: Source of all randomness.
        level_db: The root mean square of the result in dB below full scale.
    """
    heard = tilt(sound, rng.uniform(-2.5, 2.5))
    if rng.random() < 0.5:
        heard = highpass(heard, rng.uniform(20.0, 200.0))
    if rng.random() < 0.35:  # recorders that run at 8 to 14 kHz
        heard = lowpass(heard, rng.uniform(3500.0, 7000.0), 12.0)
    heard = heard * np.float32(10 ** (level_db / 20.0) / rms(heard))
    noise = rng.normal(scale=10 ** (rng.uniform(-95.0, -70.0) / 20.0), size=heard.size)
    return np.asarray(np.clip(heard + noise, -1.0, 1.0), np.float32)


def edited(sound: Samples, rng: np.random.Generator) -> Samples:
    """What an editor leaves of a sound: loud, and around it digital silence or next to it."""
    peak = float(np.max(np.abs(sound))) + 1e-9
    heard = sound * np.float32(10 ** (rng.uniform(-30.0, 0.0) / 20.0) / peak)
    noise_db = rng.uniform(-120.0, -80.0)
    return (heard + rng.normal(scale=10 ** (noise_db / 20.0), size=sound.size)).astype(np.float32)

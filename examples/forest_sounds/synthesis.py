"""Gunshots and thunder from physics, because recordings of both are few.

A gunshot is a blast wave (Friedlander 1946), for rifles preceded by the N-wave of the bullet, then
the ground's reflection. Thunder is the sum of the N-waves of the segments of a crooked lightning
channel, each arriving in its own time (Ribner and Roy 1982). What the forest makes of them (echoes,
air absorption) is the business of ``augment.distant``.

All amplitudes are relative: the caller sets the level.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .dataset import SAMPLE_RATE_HZ, Samples

_OVERSAMPLING = 4
_SPEED_OF_SOUND_M_S = 343.0


def gunshot(rng: np.random.Generator) -> Samples:
    """One to eight shots, dry, as mono samples; the first comes 10 ms after the start."""
    shots, gap_s = 1, 0.0
    pattern = rng.random()
    if pattern < 0.15:
        shots, gap_s = int(rng.integers(2, 9)), rng.uniform(0.06, 0.15)
    elif pattern < 0.3:
        shots, gap_s = 2, rng.uniform(0.25, 1.2)
    report = _report(rng)
    sound = np.zeros(int((0.02 + shots * gap_s) * SAMPLE_RATE_HZ) + report.size + 160)
    for shot in range(shots):
        jitter = 1.0 + (rng.uniform(-0.1, 0.1) if shot else 0.0)
        start = int((0.01 + shot * gap_s * jitter) * SAMPLE_RATE_HZ)
        sound[start : start + report.size] += report * rng.uniform(0.7, 1.0)
    return sound.astype(np.float32)


def _report(rng: np.random.Generator) -> NDArray[np.float64]:
    """Blast, N-wave and ground reflection of one shot."""
    rate = SAMPLE_RATE_HZ * _OVERSAMPLING
    time_s = np.arange(int(0.32 * rate)) / rate
    wave = np.zeros_like(time_s)
    blast_at = 0.0
    if rng.random() < 0.4:  # a supersonic bullet that passes near is heard before the blast
        blast_at = rng.uniform(0.005, 0.25)
        wave += 10 ** rng.uniform(-0.9, 0.3) * _n_wave(time_s, rng.uniform(2e-4, 6e-4))
    wave += _friedlander(time_s - blast_at, 10 ** rng.uniform(-3.5, -2.3))
    bounce = np.zeros_like(wave)
    delay = int(rng.uniform(5e-4, 1e-2) * rate)
    bounce[delay:] = wave[:-delay] * rng.uniform(-0.3, 0.9)
    return _decimate(wave + bounce)


def _friedlander(time_s: NDArray[np.float64], duration_s: float) -> NDArray[np.float64]:
    """The pressure of an ideal blast wave that arrives at time 0."""
    after = np.maximum(time_s, 0.0) / duration_s
    return np.where(time_s >= 0.0, (1.0 - after) * np.exp(-after), 0.0)


def _n_wave(time_s: NDArray[np.float64], duration_s: float) -> NDArray[np.float64]:
    """A shock that rises at once, falls through zero, and recovers at once."""
    inside = (time_s >= 0.0) & (time_s < duration_s)
    return np.where(inside, 1.0 - 2.0 * time_s / duration_s, 0.0)


def _decimate(wave: NDArray[np.float64]) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(wave)
    kept = wave.size // _OVERSAMPLING
    return np.asarray(np.fft.irfft(spectrum[: kept // 2 + 1], kept), np.float64)


def thunder(rng: np.random.Generator) -> Samples:
    """A clap and its rumble, up to 8 seconds as mono samples, first arrival after 0.1 s."""
    step_m = rng.uniform(1.5, 3.0)
    segments = int(rng.uniform(4000.0, 8000.0) / step_m)
    lean = rng.normal(0.0, 0.3, 2)
    heading = np.column_stack(
        [rng.normal(lean[0], 1.0, segments), rng.normal(lean[1], 1.0, segments), np.ones(segments)]
    )
    heading /= np.linalg.norm(heading, axis=1, keepdims=True)
    start = np.array([10 ** rng.uniform(2.4, 3.7), 0.0, 0.0])
    place = start + np.cumsum(heading * step_m, axis=0)
    range_m = np.linalg.norm(place, axis=1)
    # An N-wave is loudest broadside to its segment.
    along = np.abs(np.sum(heading * place, axis=1)) / range_m
    strength = np.sqrt(1.0 - np.minimum(along, 1.0) ** 2) / range_m
    strength *= _patchy(rng, segments)
    delay = (range_m - range_m.min()) / _SPEED_OF_SOUND_M_S + 0.1
    length = int(min(delay.max() + 1.0, 8.0) * SAMPLE_RATE_HZ)
    at = np.minimum((delay * SAMPLE_RATE_HZ).astype(int), length - 1)
    return _pulses(rng, at, strength, length)


def _pulses(
    rng: np.random.Generator, at: NDArray[np.int_], strength: NDArray[np.float64], length: int
) -> Samples:
    """An N-wave for every arrival; their lengths differ as the heat of the channel does."""
    size = 1 << (length + SAMPLE_RATE_HZ // 10 - 1).bit_length()
    time_s = np.arange(SAMPLE_RATE_HZ // 10) / SAMPLE_RATE_HZ
    spectrum = np.zeros(size // 2 + 1, np.complex64)
    typical_s, kind = 10 ** rng.uniform(-2.2, -1.4), rng.integers(0, 4, at.size)
    for group in range(4):
        arrivals = np.zeros(size, np.float32)
        np.add.at(arrivals, at[kind == group], strength[kind == group])
        pulse = _n_wave(time_s, typical_s * rng.lognormal(0.0, 0.4)).astype(np.float32)
        spectrum += np.fft.rfft(arrivals) * np.fft.rfft(pulse, size)
    return np.fft.irfft(spectrum, size)[:length].astype(np.float32)


def _patchy(rng: np.random.Generator, segments: int) -> NDArray[np.float64]:
    """Strengths that change slowly along the channel, as claps within the rumble do."""
    knots = rng.normal(0.0, 0.8, segments // 60 + 2)
    slow = np.interp(np.linspace(0.0, knots.size - 1.0, segments), np.arange(knots.size), knots)
    return np.asarray(np.exp(slow + rng.normal(0.0, 0.4, segments)), np.float64)

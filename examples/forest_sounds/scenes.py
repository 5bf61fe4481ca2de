"""Two-second scenes: events mixed into the forest at known levels, with their labels.

A scene of a fold is made from recordings of that fold only (and from synthesis), so scenes can be
cross-validated as recordings are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from . import augment, synthesis
from .dataset import LABELS, SAMPLE_RATE_HZ, Clip, Samples

WINDOW = 2 * SAMPLE_RATE_HZ

IMPULSIVE = frozenset({"gunshot", "explosion", "fireworks", "thunder"})
BACKGROUNDS = frozenset({"forest", "rainforest", "insects", "rain", "wind", "waves", "bird", "city"})

_MARGIN = WINDOW * 5 // 4 + 2  # what becomes a window at the highest speed
_PLAIN_NOISE = 1e-4
_CUT_OUT = 0.1  # events cut out of their surroundings, as in sound libraries
_SECOND_EVENT = 0.1
_INTERRUPTED = 0.25
_BURIED_DB = 15.0  # nobody hears rain under a sound this much louder


@dataclass(frozen=True)
class Recipe:
    """How often a kind of event is drawn, and how loud it stands over the background.

    Attributes:
        share: Relative frequency among the scenes.
        kinds: Kinds of clips it is cut from.
        snr_db: Lowest and highest level over the background: peak 50 ms for impulsive sounds,
            the whole window for others.
        synthetic: Probability that it is synthesised rather than cut.
    """

    share: float
    kinds: tuple[str, ...]
    snr_db: tuple[float, float]
    synthetic: float = 0.0


RECIPES: Mapping[str, Recipe] = {
    "chainsaw": Recipe(0.17, ("chainsaw",), (-5.0, 25.0)),
    "engine": Recipe(0.13, ("helicopter", "motor", "train"), (-3.0, 25.0)),
    "gunshot": Recipe(0.22, ("gunshot",), (7.0, 40.0), synthetic=0.5),
    "thunder": Recipe(0.10, ("thunder",), (3.0, 35.0), synthetic=0.5),
    "weather": Recipe(0.07, ("rain", "wind"), (0.0, 30.0)),
    "explosion": Recipe(0.05, ("explosion", "fireworks"), (3.0, 35.0)),
    "animal": Recipe(0.10, ("dog", "rooster", "bird", "frog", "owl", "wolf", "insects"), (0.0, 30.0)),
    "people": Recipe(0.11, ("baby", "sneeze", "clock", "speech", "horn", "creak"), (0.0, 30.0)),
    "fire": Recipe(0.04, ("fire", "waves", "boat", "city"), (0.0, 30.0)),
    "nothing": Recipe(0.12, (), (0.0, 0.0)),
}


@dataclass(frozen=True)
class Scene:
    """A window with what is known about it.

    Attributes:
        samples: ``WINDOW`` mono samples.
        target: One 0 or 1 per label in ``LABELS``; NaN where nobody can say.
        event: The name of the recipe.
        snr_db: Level of the event over the background; NaN without an event.
        synthetic: Whether the event was synthesised.
    """

    samples: Samples
    target: tuple[float, ...]
    event: str
    snr_db: float
    synthetic: bool


@dataclass(frozen=True)
class _Sound:
    samples: Samples
    labels: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()
    impulsive: bool = False

    def target(self) -> tuple[float, ...]:
        return target(self.labels, self.unknown)


class SceneMaker:
    """Draws scenes from the recordings of one split.

    Args:
        sounds: The split's clips and their samples.
        rng: Source of all randomness.
    """

    def __init__(self, sounds: Mapping[Clip, Samples], rng: np.random.Generator) -> None:
        self._sounds = {clip: sound for clip, sound in sounds.items() if augment.rms(sound) > 1e-5}
        self._by_kind: dict[str, list[Clip]] = {}
        for clip in self._sounds:
            self._by_kind.setdefault(clip.kind, []).append(clip)
        self._rng = rng

    def draw(self) -> Scene:
        """One scene of a kind drawn by share."""
        names = list(RECIPES)
        shares = np.array([RECIPES[name].share for name in names])
        return self.make(names[int(self._rng.choice(len(names), p=shares / shares.sum()))])

    def make(self, event: str) -> Scene:
        """One scene with this event."""
        rng, recipe = self._rng, RECIPES[event]
        if not recipe.kinds:
            background = self._background()
            return self._recorded(background, event, float("nan"), synthetic=False)
        kinds = [kind for kind in recipe.kinds if kind in self._by_kind]
        synthetic = rng.random() < recipe.synthetic or not kinds
        sound = self._event(event, kinds, synthetic=synthetic)
        if rng.random() < _CUT_OUT:
            scene = replace(sound, samples=augment.edited(sound.samples, rng))
            return Scene(scene.samples, scene.target(), event, 60.0, synthetic)
        snr_db = float(rng.uniform(*recipe.snr_db))
        scene = _mix(self._background(), sound, snr_db)
        if rng.random() < _SECOND_EVENT:
            other = ("chainsaw", "engine", "animal", "weather")[int(rng.integers(4))]
            kinds = [kind for kind in RECIPES[other].kinds if kind in self._by_kind]
            scene = _mix(scene, self._event(other, kinds, synthetic=False), rng.uniform(-8.0, 8.0))
        return self._recorded(scene, event, snr_db, synthetic=synthetic)

    def _recorded(self, scene: _Sound, event: str, snr_db: float, *, synthetic: bool) -> Scene:
        samples = augment.record(scene.samples, self._rng, self._rng.uniform(-62.0, -12.0))
        return Scene(samples, scene.target(), event, snr_db, synthetic)

    def _background(self) -> _Sound:
        rng = self._rng
        if rng.random() < 0.12:
            noise = rng.normal(size=WINDOW).astype(np.float32)
            return _Sound(augment.tilt(noise, rng.uniform(-6.0, 0.0)))
        kinds = sorted(BACKGROUNDS & self._by_kind.keys())
        weights = np.array([4.0 if "forest" in kind else 1.0 for kind in kinds])
        clip = self._pick([kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))]])
        stretch = _cut(_tiled(self._sounds[clip], _MARGIN), rng, _MARGIN)
        sound = augment.change_speed(stretch, rng.uniform(0.85, 1.15))[:WINDOW]
        return _Sound(sound, clip.labels, clip.unknown)

    def _pick(self, kinds: Sequence[str]) -> Clip:
        """A clip of one of the kinds; each source is as likely as any other."""
        clips = [clip for kind in kinds for clip in self._by_kind[kind]]
        sources = sorted({clip.source for clip in clips})
        source = sources[int(self._rng.integers(len(sources)))]
        same = [clip for clip in clips if clip.source == source]
        return same[int(self._rng.integers(len(same)))]

    def _event(self, event: str, kinds: Sequence[str], *, synthetic: bool) -> _Sound:
        rng = self._rng
        distance = float(rng.uniform(0.0, 1.0)) if rng.random() < 0.75 else 0.0
        if synthetic:
            if event == "gunshot":
                heard, label = augment.distant(synthesis.gunshot(rng), rng, distance), "gunshot"
            else:  # lightning is never near enough to be dry
                far = 0.3 + 0.7 * distance
                heard, label = augment.distant(synthesis.thunder(rng), rng, far), "storm"
            return _Sound(_place(heard, rng, label), frozenset({label}), impulsive=True)
        clip = self._pick(kinds)
        if clip.kind in IMPULSIVE:
            sound = augment.change_speed(self._sounds[clip], rng.uniform(0.8, 1.25))
            heard = augment.distant(sound, rng, distance) if distance else sound
            window = _place(heard, rng, clip.kind)
            return _Sound(window, clip.labels, clip.unknown, impulsive=True)
        stretch = _cut(_padded(self._sounds[clip], _MARGIN, rng), rng, _MARGIN, audible=True)
        sound = augment.change_speed(stretch, rng.uniform(0.8, 1.25))[:WINDOW]
        if rng.random() < _INTERRUPTED:
            sound = augment.interrupted(sound, rng)
        if distance:
            sound = augment.distant(sound, rng, distance)[:WINDOW]
        return _Sound(sound, clip.labels, clip.unknown)


def target(present: frozenset[str], unknown: frozenset[str]) -> tuple[float, ...]:
    """One number per label: 1 heard, 0 not heard, NaN nobody can say."""
    return tuple(1.0 if label in present else float("nan") if label in unknown else 0.0 for label in LABELS)


def _mix(ground: _Sound, event: _Sound, snr_db: float) -> _Sound:
    seconds = 0.05 if event.impulsive else WINDOW / SAMPLE_RATE_HZ
    level = augment.rms(augment.highpass(ground.samples, 150.0))
    gain = level * 10 ** (snr_db / 20.0) / augment.loudest(event.samples, seconds)[1]
    buried = ground.labels if snr_db > _BURIED_DB else frozenset()
    return _Sound(
        ground.samples + event.samples * np.float32(gain),
        (ground.labels - buried) | event.labels,
        ground.unknown | buried | event.unknown,
    )


def _tiled(sound: Samples, size: int) -> Samples:
    return np.tile(sound, -(-size // sound.size)) if sound.size < size else sound


def _padded(sound: Samples, size: int, rng: np.random.Generator) -> Samples:
    room = max(0, size - sound.size)
    before = int(rng.integers(room + 1))
    return np.pad(sound, (before, room - before))


def _cut(sound: Samples, rng: np.random.Generator, size: int, *, audible: bool = False) -> Samples:
    """A stretch of a longer sound; ``audible`` ones are at most 20 dB below the loudest."""
    floor = 0.1 * augment.loudest(sound, 2.0)[1] if audible else 0.0
    for _ in range(20):
        start = int(rng.integers(sound.size - size + 1))
        window = sound[start : start + size]
        if not audible or augment.rms(augment.highpass(window, 150.0)) >= floor:
            break
    return window


def _place(sound: Samples, rng: np.random.Generator, kind: str) -> Samples:
    """A window with the loudest moment between 0.1 and 1.6 s, or anywhere in a long rumble."""
    if kind in {"storm", "thunder"} and rng.random() < 0.5:
        return _cut(_padded(sound, WINDOW, rng), rng, WINDOW, audible=True)
    peak, _ = augment.loudest(sound, 0.05)
    start = peak - int(rng.uniform(0.1, 1.6) * SAMPLE_RATE_HZ)
    return np.pad(sound, (max(0, -start), WINDOW))[max(0, start) :][:WINDOW]


def plain_scenes(sounds: Mapping[Clip, Samples]) -> list[Scene]:
    """Recordings as they are, a window a second; impulsive ones at three places in the window."""
    rng = np.random.default_rng(0)
    scenes = []
    for clip, sound in sounds.items():
        for window in _plain_windows(clip, sound):
            noise = rng.normal(scale=_PLAIN_NOISE, size=WINDOW)
            samples = (window + noise).astype(np.float32)
            known = target(clip.labels, clip.unknown)
            scenes.append(Scene(samples, known, clip.kind, float("inf"), synthetic=False))
    return scenes


def _plain_windows(clip: Clip, sound: Samples) -> list[Samples]:
    if clip.kind in IMPULSIVE:
        peak, _ = augment.loudest(sound, 0.05)
        around = np.pad(sound, WINDOW)
        starts = [peak + WINDOW - int(at * SAMPLE_RATE_HZ) for at in (0.2, 0.7, 1.2)]
        windows = [around[start : start + WINDOW] for start in starts]
        if clip.kind == "gunshot":  # what comes after the shot is not to be learned as one
            return windows
    else:
        windows = []
    room = max(0, WINDOW - sound.size)
    sound = np.pad(sound, (room // 2, room - room // 2))
    floor = 0.1 * augment.loudest(sound, 2.0)[1] if clip.labels else 0.0
    for start in range(0, sound.size - WINDOW + 1, SAMPLE_RATE_HZ):
        window = sound[start : start + WINDOW]
        if augment.rms(augment.highpass(window, 150.0)) >= floor:
            windows.append(window)
    return windows

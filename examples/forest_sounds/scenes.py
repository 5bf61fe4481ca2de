"""Two-second scenes: events mixed into the forest at known levels, with their labels.

A scene of a fold is made from recordings of that fold only (and from synthesis), so scenes can be
cross-validated as recordings are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from . import augment, synthesis
from .dataset import LABELS, SAMPLE_RATE_HZ, Clip, Samples

WINDOW = 2 * SAMPLE_RATE_HZ

IMPULSIVE = frozenset({"gunshot", "explosion", "fireworks", "thunder"})
BACKGROUNDS = frozenset({"forest", "rainforest", "insects", "rain", "wind", "waves", "bird", "city"})


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
    "chainsaw": Recipe(0.17, ("chainsaw",), (-6.0, 25.0)),
    "engine": Recipe(0.13, ("helicopter", "motor", "train"), (-3.0, 25.0)),
    "gunshot": Recipe(0.24, ("gunshot",), (6.0, 40.0), synthetic=0.5),
    "thunder": Recipe(0.10, ("thunder",), (3.0, 35.0), synthetic=0.7),
    "weather": Recipe(0.07, ("rain", "wind"), (0.0, 30.0)),
    "explosion": Recipe(0.05, ("explosion", "fireworks"), (3.0, 35.0)),
    "animal": Recipe(0.08, ("dog", "rooster", "bird", "frog", "owl", "wolf", "insects"), (0.0, 30.0)),
    "people": Recipe(0.08, ("baby", "sneeze", "clock", "speech", "horn", "creak"), (0.0, 30.0)),
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
        background, present, unknown = self._background()
        snr_db, synthetic = float("nan"), False
        scene = background
        if recipe.kinds:
            kinds = [kind for kind in recipe.kinds if kind in self._by_kind]
            synthetic = rng.random() < recipe.synthetic or not kinds
            sound, labels, doubtful, impulsive = self._event(event, kinds, synthetic)
            present, unknown = present | labels, unknown | doubtful
            snr_db = float(rng.uniform(*recipe.snr_db))
            scene = _mix(background, sound, snr_db, impulsive)
        samples = augment.record(scene, rng, rng.uniform(-62.0, -12.0))
        return Scene(samples, target(present, unknown), event, snr_db, synthetic)

    def _background(self) -> tuple[Samples, frozenset[str], frozenset[str]]:
        rng = self._rng
        if rng.random() < 0.12:
            noise = augment.tilt(rng.normal(size=WINDOW).astype(np.float32), rng.uniform(-6.0, 0.0))
            return noise, frozenset(), frozenset()
        kinds = sorted(BACKGROUNDS & self._by_kind.keys())
        weights = np.array([4.0 if "forest" in kind else 1.0 for kind in kinds])
        clip = self._pick([kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))]])
        sound = augment.change_speed(self._sounds[clip], rng.uniform(0.85, 1.15))
        return _cut(_tiled(sound), rng), clip.labels, clip.unknown

    def _pick(self, kinds: Sequence[str]) -> Clip:
        """A clip of one of the kinds; each source is as likely as any other."""
        clips = [clip for kind in kinds for clip in self._by_kind[kind]]
        sources = sorted({clip.source for clip in clips})
        source = sources[int(self._rng.integers(len(sources)))]
        same = [clip for clip in clips if clip.source == source]
        return same[int(self._rng.integers(len(same)))]

    def _event(
        self, event: str, kinds: Sequence[str], synthetic: bool
    ) -> tuple[Samples, frozenset[str], frozenset[str], bool]:
        rng = self._rng
        distance = float(rng.uniform(0.0, 1.0)) if rng.random() < 0.75 else 0.0
        if synthetic:
            if event == "gunshot":
                heard, label = augment.distant(synthesis.gunshot(rng), rng, distance), "gunshot"
            else:  # lightning is never near enough to be dry
                far = 0.3 + 0.7 * distance
                heard, label = augment.distant(synthesis.thunder(rng), rng, far), "storm"
            return _place(heard, rng), frozenset({label}), frozenset(), True
        clip = self._pick(kinds)
        sound = augment.change_speed(self._sounds[clip], rng.uniform(0.8, 1.25))
        if clip.kind in IMPULSIVE:
            heard = augment.distant(sound, rng, distance) if distance else sound
            return _place(heard, rng), clip.labels, clip.unknown, True
        sound = _cut(sound if sound.size >= WINDOW else _padded(sound, rng), rng, audible=True)
        if distance:
            sound = augment.distant(sound, rng, distance)[:WINDOW]
        return sound, clip.labels, clip.unknown, False


def target(present: frozenset[str], unknown: frozenset[str]) -> tuple[float, ...]:
    """One number per label: 1 heard, 0 not heard, NaN nobody can say."""
    return tuple(
        1.0 if label in present else float("nan") if label in unknown else 0.0 for label in LABELS
    )


def _mix(background: Samples, event: Samples, snr_db: float, impulsive: bool) -> Samples:
    seconds = 0.05 if impulsive else WINDOW / SAMPLE_RATE_HZ
    ground = augment.rms(augment.highpass(background, 150.0))
    gain = ground * 10 ** (snr_db / 20.0) / augment.loudest(event, seconds)[1]
    return (background + event * np.float32(gain)).astype(np.float32)


def _tiled(sound: Samples) -> Samples:
    return np.tile(sound, -(-WINDOW // sound.size)) if sound.size < WINDOW else sound


def _padded(sound: Samples, rng: np.random.Generator) -> Samples:
    room = WINDOW - sound.size
    before = int(rng.integers(room + 1))
    return np.pad(sound, (before, room - before))


def _cut(sound: Samples, rng: np.random.Generator, *, audible: bool = False) -> Samples:
    """A window of a longer sound; ``audible`` ones are at most 20 dB below the loudest."""
    floor = 0.1 * augment.loudest(sound, 2.0)[1] if audible else 0.0
    for _ in range(20):
        start = int(rng.integers(sound.size - WINDOW + 1))
        window = sound[start : start + WINDOW]
        if augment.rms(augment.highpass(window, 150.0)) >= floor:
            break
    return window


def _place(sound: Samples, rng: np.random.Generator) -> Samples:
    """A window in which the loudest moment falls between 0.1 and 1.6 s."""
    peak, _ = augment.loudest(sound, 0.05)
    start = peak - int(rng.uniform(0.1, 1.6) * SAMPLE_RATE_HZ)
    return np.pad(sound, (max(0, -start), WINDOW))[max(0, start) :][:WINDOW]

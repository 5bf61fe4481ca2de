"""Are pictures prepared as the model was trained? The trained model itself is asked, on labelled pictures.

Swapped colours, another scaling or another way to resize give a model that is merely worse, which no
shape tells. So the evaluation set's pictures are also prepared in the other usual ways. Where one of
these is clearly better than what the spec says, the spec is refused, unless it accepts that. Few
pictures come first; only what looks better on these is tried on more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import structs

from edge_sdk.console.progress import Progress
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.values import Float32Array, Pixels

from ..data.picture_set import Picture, PictureSet
from ..spec.image_table import PRESETS
from .acceptance import Acceptance
from .case import Case
from .picture_run import ask_all, spread

__all__ = [
    "FIRST_PICTURES",
    "MOST_PICTURES",
    "Compared",
    "Preparations",
    "Weighed",
    "alternatives",
    "check_preparation",
    "compare",
    "discordant_p",
    "is_promising",
]

FIRST_PICTURES, MOST_PICTURES = 24, 96
_MORE_ON_FEW = 3
_MOST_NAMED = 3
_SURE, _LIKELY = 0.005, 0.02
_LEAST_GAIN = 0.05
"""Of accuracy or average precision. Less is nothing that a person would change a spec for."""

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Weighed:
    """How well some pictures were answered.

    Attributes:
        right: Whether each picture, or each true box, was answered right.
        scores: The score of what is true, of each of these.
        figure: Accuracy or average precision.
    """

    right: BoolArray
    scores: Float32Array
    figure: float


@dataclass(frozen=True)
class Compared:
    """An alternative held against the spec, on the same pictures.

    Attributes:
        gain: Of the figure.
        p_right: Chance of so many more right ones if neither were better, for all alternatives together.
        p_scores: Chance of so many higher scores of what is true, likewise.
    """

    gain: float
    p_right: float
    p_scores: float

    def is_sure(self, *, resize: bool) -> bool:
        """Whether the spec is wrong.

        A tighter cut of the picture can raise scores though the model was trained otherwise, so
        another way to resize must be right more often, too.
        """
        p = self.p_right if resize else min(self.p_right, self.p_scores)
        return self.gain >= _LEAST_GAIN and p < _SURE

    @property
    def is_likely(self) -> bool:
        """Whether a person should look at it; so wherever it is sure, too."""
        return self.gain >= _LEAST_GAIN and (self.p_right < _LIKELY or self.p_scores < _LIKELY)


@dataclass(frozen=True)
class Preparations:
    """How a kind of model is asked and judged.

    Attributes:
        ask: Makes what answers one picture, prepared in some way.
        weigh: Judges the answers to some pictures.
        figure: What its figure is called.
    """

    ask: Callable[[ImageInput], Callable[[Pixels], Any]]
    weigh: Callable[[Sequence[Picture], Sequence[Any]], Weighed]
    figure: str


def alternatives(image: ImageInput, *, scales: bool) -> dict[str, ImageInput]:
    """The other usual ways to prepare pictures, by what a spec would say.

    Args:
        image: What the spec says.
        scales: Whether the model takes scaled pixels, not bytes.
    """
    other: dict[str, ImageInput] = {}
    if image.color != "gray":
        swapped = "bgr" if image.color == "rgb" else "rgb"
        other[f"color = '{swapped}'"] = structs.replace(image, color=swapped)
    for resize in ("stretch", "letterbox", "crop"):
        if resize != image.resize:
            other[f"resize = '{resize}'"] = structs.replace(image, resize=resize)
    for name, preset in PRESETS.items() if scales else ():
        gray = image.color == "gray"
        if gray and len({*preset.mean}) + len({*preset.std}) > 2:
            continue
        changed = structs.replace(
            image, color=image.color if gray else preset.color, mean=preset.mean, std=preset.std
        )
        if not _same(image, changed):
            other[f"preprocessing = '{name}'"] = changed
    return other


def check_preparation(
    image: ImageInput, case: Case[PictureSet], kind: Preparations, progress: Progress
) -> list[str]:
    """Refuse a spec that the model contradicts.

    Args:
        image: What the spec says.
        case: The model, and the pictures that judge: those with a label are shown to it.
        kind: How the model is asked and judged.
        progress: Told how far it is.

    Returns:
        What is likely but not sure, for the report.

    Raises:
        SpecError: Another preparation is clearly better, and that is not accepted; has the numbers.
        BackendError: The model breaks on a picture that is prepared as the spec says.
    """
    others = alternatives(image, scales=case.source.input.dtype == "float32")
    pictures = [picture for picture in case.evaluation.samples if picture.labels]
    weighed = _weigh_promising(pictures, {"": image} | others, kind, progress)
    spec = weighed.pop("")
    found = {name: compare(spec, other, len(others)) for name, other in weighed.items()}
    likely = sorted((name for name in found if found[name].is_likely), key=lambda name: -found[name].gain)
    told = {name: _told(name, weighed[name], found[name], kind.figure) for name in likely}
    sure = [name for name in likely if found[name].is_sure(resize=_key(name) == "resize")]
    return _settle(told, sure, f"as the spec says it is {spec.figure:.3f}", case.acceptance)


def _weigh_promising(
    pictures: Sequence[Picture], prepared: dict[str, ImageInput], kind: Preparations, progress: Progress
) -> dict[str, Weighed]:
    """How well pictures are answered as the spec says (under ``""``), and in ways that look better.

    All are tried on a few pictures, and what looks better there on more.
    """
    weighed: dict[str, Weighed] = {}
    for most in (FIRST_PICTURES, MOST_PICTURES):
        chosen = spread(pictures, most)
        asked = {name: kind.ask(image) for name, image in prepared.items()}
        answers, failed = ask_all(chosen, asked, progress, "checking the preparation")
        if "" in failed:
            raise failed[""]
        weighed = {name: kind.weigh(chosen, given) for name, given in answers.items()}
        spec = weighed[""]
        weighed = {name: item for name, item in weighed.items() if not name or is_promising(spec, item)}
        prepared = {name: prepared[name] for name in weighed}
        if len(prepared) == 1 or len(chosen) == len(pictures):
            break
    return weighed


def _settle(told: Mapping[str, str], sure: Sequence[str], said: str, acceptance: Acceptance) -> list[str]:
    """Refuse what is sure and not accepted, keep what is accepted, and warn of the rest.

    Args:
        told: What was found, by alternative, the best first.
        sure: Those that are no chance.
        said: The figure as the spec says.
        acceptance: Decides.
    """
    taken: dict[str, list[str]] = {}
    doubts: list[str] = []
    for name, text in told.items():
        if name in sure or acceptance.covers(_key(name)):
            taken.setdefault(_key(name), []).append(text)
        else:
            doubts.append(text)
    findings = {key: f"{'; '.join(texts[:_MOST_NAMED])}; {said}" for key, texts in taken.items()}
    acceptance.take(findings, "set under [image] what the model was trained with")
    return [f"[image] in the spec may be wrong: {'; '.join(doubts[:_MOST_NAMED])}; {said}"] if doubts else []


def _key(name: str) -> str:
    """What under ``[image]`` an alternative changes."""
    return name.partition(" ")[0]


def compare(spec: Weighed, other: Weighed, tried: int) -> Compared:
    """Hold an alternative against the spec.

    Args:
        spec: As the spec says.
        other: The alternative, on the same pictures.
        tried: How many alternatives there were: the more, the likelier is one better by chance.
    """
    higher, lower = _higher(spec, other)
    p_right = discordant_p(int((other.right & ~spec.right).sum()), int((spec.right & ~other.right).sum()))
    return Compared(
        gain=other.figure - spec.figure,
        p_right=min(1.0, tried * p_right),
        p_scores=min(1.0, tried * discordant_p(higher, lower)),
    )


def discordant_p(better: int, worse: int) -> float:
    """One-sided exact p of the sign test (of McNemar's, for right and wrong): so many or more by chance.

    Args:
        better: Pairs in which the alternative is better.
        worse: Pairs in which the spec is.
    """
    n = better + worse
    ways = sum(math.comb(n, k) for k in range(better, n + 1))
    return float(ways / 2**n)


def _same(one: ImageInput, other: ImageInput) -> bool:
    def spread_out(values: tuple[float, ...]) -> tuple[float, ...]:
        return values * 3 if len(values) == 1 else values

    return one.color == other.color and all(
        np.allclose(spread_out(a), spread_out(b)) for a, b in ((one.mean, other.mean), (one.std, other.std))
    )


def _told(name: str, other: Weighed, compared: Compared, figure: str) -> str:
    p = min(compared.p_right, compared.p_scores)
    return f"with {name}, {figure} is {other.figure:.3f} (p {p:.1g})"


def is_promising(spec: Weighed, other: Weighed) -> bool:
    """Whether an alternative that was tried on few pictures is worth more of them."""
    higher, lower = _higher(spec, other)
    return max(int(other.right.sum()) - int(spec.right.sum()), higher - lower) >= _MORE_ON_FEW


def _higher(spec: Weighed, other: Weighed) -> tuple[int, int]:
    return int((other.scores > spec.scores).sum()), int((other.scores < spec.scores).sum())

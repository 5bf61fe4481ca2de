"""Are pictures prepared as the model was trained? The trained model itself is asked, on labelled pictures.

Swapped colours, another scaling or another way to resize give a model that is merely worse, which no
shape tells. So the evaluation set's pictures are also prepared in the other usual ways. Where one of
these is clearly better than what the spec says, the spec is refused. Few pictures come first; only what
looks better on these is tried on more.
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
from edge_sdk.errors import SpecError

from ..data.picture_set import Picture
from ..spec.image_table import PRESETS
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
    image: ImageInput, pictures: Sequence[Picture], kind: Preparations, progress: Progress, *, scales: bool
) -> list[str]:
    """Refuse a spec that the model contradicts.

    Args:
        image: What the spec says.
        pictures: Labelled ones.
        kind: How the model is asked and judged.
        progress: Told how far it is.
        scales: Whether the model takes scaled pixels, not bytes.

    Returns:
        What is likely but not sure, for the report.

    Raises:
        SpecError: Another preparation is clearly better; says which, with the numbers.
        BackendError: The model breaks on a picture that is prepared as the spec says.
    """
    others = alternatives(image, scales=scales)
    tried = len(others)
    weighed: dict[str, Weighed] = {}
    for most in (FIRST_PICTURES, MOST_PICTURES):
        chosen = spread(pictures, most)
        asked = {"": kind.ask(image)} | {name: kind.ask(other) for name, other in others.items()}
        answers, failed = ask_all(chosen, asked, progress, "checking the preparation")
        if "" in failed:
            raise failed[""]
        weighed = {name: kind.weigh(chosen, given) for name, given in answers.items()}
        others = {
            name: others[name] for name in weighed if name and _is_promising(weighed[""], weighed[name])
        }
        if not others or len(chosen) == len(pictures):
            break
    found = {name: compare(weighed[""], weighed[name], tried) for name in others}
    likely = sorted((name for name in found if found[name].is_likely), key=lambda name: -found[name].gain)
    told = "; ".join(_told(name, weighed, found[name], kind.figure) for name in likely[:_MOST_NAMED])
    if any(found[name].is_sure(resize=name.startswith("resize")) for name in found):
        raise SpecError(
            f"the spec's [image] contradicts the model, which has {kind.figure} "
            f"{weighed[''].figure:.3f} on {len(chosen)} pictures as it says: {told}",
            hint="set under [image] what the model was trained with",
        )
    return [f"[image] in the spec may be wrong: {told}"] if likely else []


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


def _told(name: str, weighed: Mapping[str, Weighed], compared: Compared, figure: str) -> str:
    p = min(compared.p_right, compared.p_scores)
    return f"with {name}, {figure} is {weighed[name].figure:.3f} (p {p:.1g})"


def _is_promising(spec: Weighed, other: Weighed) -> bool:
    higher, lower = _higher(spec, other)
    return max(int(other.right.sum()) - int(spec.right.sum()), higher - lower) >= _MORE_ON_FEW


def _higher(spec: Weighed, other: Weighed) -> tuple[int, int]:
    return int((other.scores > spec.scores).sum()), int((other.scores < spec.scores).sum())

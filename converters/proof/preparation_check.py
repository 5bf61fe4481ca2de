"""Are pictures prepared as the model was trained? The trained model itself is asked, on labelled pictures.

Swapped colours, another scaling or another way to resize give a model that is merely worse, which no
shape tells. So the evaluation set's pictures are also prepared in the other usual ways. Where one of
these is clearly better than what the spec says, the spec is refused, unless it accepts that. Few
pictures come first; only what looks better on these is tried on more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from msgspec import structs

from edge_sdk.console.progress import Progress
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.values import Pixels

from ..data.even_choice import spread
from ..data.picture_set import Picture, PictureSet
from ..spec.image_table import PRESETS
from .acceptance import Acceptance
from .case import Case
from .picture_run import ask_all
from .scaling_signs import collapse, collapse_p, contrast, saturation
from .weighing import (
    LEAST_GAIN,
    LIKELY,
    SURE,
    Weighed,
    compare,
    drawn_p,
    is_promising,
    precision_gains,
)

__all__ = [
    "FIRST_PICTURES",
    "MOST_PICTURES",
    "Preparations",
    "alternatives",
    "check_preparation",
]

FIRST_PICTURES, MOST_PICTURES = 24, 96
_MOST_NAMED = 3


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


@dataclass(frozen=True)
class _Finding:
    """What one alternative shows.

    Attributes:
        name: What it changes.
        text: In words, with numbers.
        is_sure: Whether it convicts the spec; else a person should look at it.
        rank: The better, the higher.
    """

    name: str
    text: str
    is_sure: bool
    rank: tuple[float, float]

    @property
    def key(self) -> str:
        """What under ``[image]`` it changes."""
        return self.name.partition(" ")[0]


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
    found = []
    for name, other in weighed.items():
        times = contrast(others[name]) / contrast(image)
        finding = _finding(name, spec, other, times, len(others), kind.figure)
        if finding is not None:
            found.append(finding)
    swaps = {name for name in weighed if others[name].color != image.color}
    return _settle(
        _told_once(found, swaps), f"as the spec says, {kind.figure} is {spec.figure:.3f}", case.acceptance
    )


def _weigh_promising(
    pictures: Sequence[Picture], prepared: dict[str, ImageInput], kind: Preparations, progress: Progress
) -> dict[str, Weighed]:
    """How well pictures are answered as the spec says (under ``""``), and in ways that look better.

    All are tried on a few pictures, and what looks better there on more.
    """
    weighed: dict[str, Weighed] = {}
    now = contrast(prepared[""])
    for most in (FIRST_PICTURES, MOST_PICTURES):
        chosen = spread(pictures, most)
        asked = {name: kind.ask(image) for name, image in prepared.items()}
        answers, failed = ask_all(chosen, asked, progress, "checking the preparation")
        if "" in failed:
            raise failed[""]
        weighed = {name: kind.weigh(chosen, given) for name, given in answers.items()}
        spec = weighed[""]
        weighed = {
            name: item
            for name, item in weighed.items()
            if not name or is_promising(spec, item) or saturation(spec, item, contrast(prepared[name]) / now)
        }
        prepared = {name: prepared[name] for name in weighed}
        if len(prepared) == 1 or len(chosen) == len(pictures):
            break
    return weighed


def _finding(
    name: str, spec: Weighed, other: Weighed, times: float, tried: int, figure: str
) -> _Finding | None:
    """What an alternative shows; None where that is nothing.

    Args:
        name: What it changes.
        spec: As the spec says.
        other: The alternative, on the same pictures.
        times: How much larger the contrast of pixels is there.
        tried: How many alternatives there were.
        figure: What is compared.
    """
    compared = compare(spec, other, tried)
    would = f"with {name}, {figure} is {other.figure:.3f}"
    rank = (compared.gain, float(np.mean(other.scores)))
    resize = name.startswith("resize")
    text = f"{would} (p {min(compared.p_right, compared.p_scores):.1g})"
    precise = _precise(name, spec, other, tried) if resize else None
    if precise is not None and precise.is_sure:
        return precise
    if compared.is_sure(resize=resize):
        return _Finding(name, text, is_sure=True, rank=rank)
    collapsed, p = collapse(spec, other, times), collapse_p(spec, other, tried)
    if collapsed is not None and p < LIKELY:
        return _Finding(name, f"{would} and {collapsed} (p {p:.1g})", is_sure=p < SURE, rank=rank)
    if precise is not None:
        return precise
    if compared.is_likely:
        return _Finding(name, text, is_sure=False, rank=rank)
    saturated = saturation(spec, other, times)
    return None if saturated is None else _Finding(name, f"{would} and {saturated}", is_sure=False, rank=rank)


def _precise(name: str, spec: Weighed, other: Weighed, tried: int) -> _Finding | None:
    """Whether boxes lie better, by a paired bootstrap over pictures."""
    gains = {title: gain for title, gain in precision_gains(spec, other).items() if gain >= LEAST_GAIN}
    if not gains or spec.precision is None or other.precision is None:
        return None
    now, would = spec.precision.draw(), other.precision.draw()
    chances = {
        title: min(1.0, tried * drawn_p(gain, now[title], would[title])) for title, gain in gains.items()
    }
    title = min(chances, key=lambda one: chances[one])
    if chances[title] >= LIKELY:
        return None
    figures = f"{other.precision.figures[title]:.3f} instead of {spec.precision.figures[title]:.3f}"
    text = f"with {name}, {title} is {figures} (p {chances[title]:.1g})"
    rank = (gains[title], float(np.mean(other.scores)))
    return _Finding(name, text, is_sure=chances[title] < SURE, rank=rank)


def _told_once(found: Sequence[_Finding], swaps: set[str]) -> list[_Finding]:
    """The best first; of exchanged colours only the best, as some presets exchange them too.

    Where presets are no better than the exchange alone, that is it.

    Args:
        found: What alternatives show.
        swaps: Those that exchange colours.
    """
    ordered = sorted(found, key=lambda one: (one.is_sure, *one.rank), reverse=True)
    swapped = [one for one in ordered if one.name in swaps]
    best = max(swapped, key=lambda one: (one.is_sure, one.rank[0], one.key == "color"), default=None)
    return [one for one in ordered if one.name not in swaps or best is None or one.key == best.key]


def _settle(found: Sequence[_Finding], said: str, acceptance: Acceptance) -> list[str]:
    """Refuse what is sure and not accepted, keep what is accepted, and warn of the rest.

    Args:
        found: What was found, the best first.
        said: The figure as the spec says.
        acceptance: Decides.
    """
    taken: dict[str, list[str]] = {}
    doubts: list[str] = []
    for finding in found:
        if finding.is_sure or acceptance.covers(finding.key):
            taken.setdefault(finding.key, []).append(finding.text)
        else:
            doubts.append(finding.text)
    findings = {key: f"{'; '.join(texts[:_MOST_NAMED])}; {said}" for key, texts in taken.items()}
    acceptance.take(findings, "set under [image] what the model was trained with")
    return [f"[image] in the spec may be wrong: {'; '.join(doubts[:_MOST_NAMED])}; {said}"] if doubts else []


def _same(one: ImageInput, other: ImageInput) -> bool:
    def spread_out(values: tuple[float, ...]) -> tuple[float, ...]:
        return values * 3 if len(values) == 1 else values

    return one.color == other.color and all(
        np.allclose(spread_out(a), spread_out(b)) for a, b in ((one.mean, other.mean), (one.std, other.std))
    )

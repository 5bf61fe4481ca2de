"""SPEC.toml of small picture models, and pictures in folders for them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from edge_sdk.contract.values import Pixels

__all__ = ["color_picture", "color_spec", "write_colors"]

_LEVELS = {"red": (200, 60, 40), "green": (40, 190, 60), "blue": (50, 70, 210), "background": (90, 95, 85)}


def color_spec(
    folder: Path, *, image: str = 'preprocessing = "unit"', model: str = "", side: int = 8, name: str = "spec"
) -> Path:
    """A classifier of red, green and blue pictures."""
    labels = "".join(f'[[labels]]\nid = "{label}"\n' for label in ("red", "green", "blue"))
    path = folder / f"{name}.toml"
    path.write_text(
        f'name = "colors"\nversion = "1.0.0"\n[model]\n{model}\n{labels}[default_rule]\nthreshold = 0.5\n'
        f"[image]\nwidth = {side}\nheight = {side}\n{image}\n"
    )
    return path


def color_picture(color: str, random: np.random.Generator, height: int = 40, width: int = 60) -> Pixels:
    """A noisy picture of mainly one colour, RGB."""
    noise = random.normal(0, 25, (height, width, 3)) + random.normal(0, 10, 3)
    return np.clip(np.array(_LEVELS[color]) + noise, 0, 255).astype(np.uint8)


def write_colors(
    folder: Path, n: int, seed: int, colors: Sequence[str] = ("red", "green", "blue", "background")
) -> Path:
    """Folders by colour with so many pictures each, of several sizes."""
    random = np.random.default_rng(seed)
    for color in colors:
        (folder / color).mkdir(parents=True)
        for number in range(n):
            pixels = color_picture(color, random, 30 + 5 * (number % 3), 50)
            Image.fromarray(pixels).save(folder / color / f"{number}.png")
    return folder

"""Where the example model's files are: inside an installed wheel, or in a checkout beside us."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError

__all__ = ["Example", "find_example"]

_PACKAGED = Path(__file__).parent / "forest_sounds"
_CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Example:
    """The trained model that the demo converts.

    Attributes:
        folder: Holds ``forest_sounds.toml`` and ``head.keras``.
        base_module: The module that writes the base model.
        search_path: The folder that ``base_module`` is imported from.
    """

    folder: Path
    base_module: str
    search_path: Path

    @property
    def spec(self) -> Path:
        """The spec of the whole model."""
        return self.folder / "forest_sounds.toml"

    @property
    def head(self) -> Path:
        """The trained head."""
        return self.folder / "head.keras"


def find_example() -> Example:
    """The example's files.

    Raises:
        UsageError: They are neither installed nor in a checkout.
    """
    if (_PACKAGED / "head.keras").is_file():
        return Example(_PACKAGED, "edge_sdk.demo.forest_sounds.base", _PACKAGED.parents[2])
    folder = _CHECKOUT / "examples" / "forest_sounds"
    if (folder / "head.keras").is_file():
        return Example(folder, "examples.forest_sounds.base", _CHECKOUT)
    raise UsageError(
        f"the example model is not in {folder}",
        hint="run the demo from a checkout, or install a released wheel",
    )

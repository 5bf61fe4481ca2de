"""Where the examples' files are: inside an installed wheel, or in a checkout beside us."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError

__all__ = ["Example", "find_example"]

_PACKAGED = Path(__file__).parent
_CHECKOUT = Path(__file__).parents[2]
_FOREST_SOUNDS = "forest_sounds"


@dataclass(frozen=True, slots=True)
class Example:
    """The trained models that the demo converts.

    Attributes:
        folder: Holds ``forest_sounds.toml`` and ``head.keras``.
        package: The package of the examples' modules.
        search_path: The folder that it is imported from.
    """

    folder: Path
    package: str
    search_path: Path

    @property
    def spec(self) -> Path:
        """The spec of the whole model for sounds."""
        return self.folder / "forest_sounds.toml"

    @property
    def head(self) -> Path:
        """Its trained head."""
        return self.folder / "head.keras"

    @property
    def base_module(self) -> str:
        """The module that writes its base."""
        return f"{self.package}.{_FOREST_SOUNDS}.base"

    @property
    def imagenet_module(self) -> str:
        """The module that writes a picture classifier and its spec."""
        return f"{self.package}.imagenet.build"

    @property
    def faces_module(self) -> str:
        """The module that writes a detector of faces and its spec."""
        return f"{self.package}.faces.models"


def find_example() -> Example:
    """The examples' files.

    Raises:
        UsageError: They are neither installed nor in a checkout.
    """
    if (_PACKAGED / _FOREST_SOUNDS / "head.keras").is_file():
        return Example(_PACKAGED / _FOREST_SOUNDS, __package__, _PACKAGED.parents[1])
    folder = _CHECKOUT / "examples" / _FOREST_SOUNDS
    if (folder / "head.keras").is_file():
        return Example(folder, "examples", _CHECKOUT)
    raise UsageError(
        f"the example model is not in {folder}",
        hint="run the demo from a checkout, or install a released wheel",
    )

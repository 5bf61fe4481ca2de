"""What was fastest on this device: ``edge-sdk bench --pick`` writes it, ``run`` and ``predict`` go by it.

One file a bundle, named by its digest: a pick holds for that bundle, this machine and the libraries that
were installed when it was measured. A pick that does not hold any more is passed over, and that is told.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from msgspec import Struct

from edge_sdk.contract.bundle import Bundle
from edge_sdk.contract.messages import BundleReference
from edge_sdk.errors import EdgeSdkError
from edge_sdk.inference.options import AS_SUITS_THIS_DEVICE, BackendName, EngineOptions

from .library_versions import inference_versions
from .machine import Machine, this_machine
from .setting_words import setting_words

__all__ = ["FoundPick", "Pick", "find_pick", "picks_folder", "write_pick"]


class Pick(Struct, frozen=True, kw_only=True):
    """What was fastest, and where that holds.

    Attributes:
        median_ms: How long an inference took.
        versions: Of the inference libraries, by the names of their distributions.
        settings: How they worked.
    """

    schema_version: int = 1
    bundle: BundleReference
    variant: str
    backend: BackendName
    median_ms: float
    machine: Machine
    versions: dict[str, str]
    settings: EngineOptions = AS_SUITS_THIS_DEVICE

    def other_settings(self, now: EngineOptions) -> str | None:
        """In what settings of now differ from those that it was measured with; None where nothing does.

        Those of other backends say nothing of it, nor do threads of the processor where a GPU runs it; and
        where engines lie makes none faster.

        Args:
            now: With which it is to run.
        """
        before, after = setting_words(self.settings), setting_words(now)
        listed = [
            f"{name} = {before[name]}, here {value}"
            for name, value in after.items()
            if before[name] != value and self._concerns(name)
        ]
        return "; ".join(listed) or None

    def _concerns(self, setting: str) -> bool:
        if setting == "threads":
            return self.backend != "tensorrt"
        return setting.startswith(f"{self.backend}.") and setting != "tensorrt.cache"


class FoundPick(Struct, frozen=True):
    """What this device has measured of a bundle.

    Attributes:
        pick: What was fastest; None where nothing was measured, or it does not hold any more.
        note: What a person should know of it; None where nothing was measured.
    """

    pick: Pick | None = None
    note: str | None = None

    @property
    def choice(self) -> tuple[str, BackendName] | None:
        """Variant and backend."""
        return None if self.pick is None else (self.pick.variant, self.pick.backend)


def picks_folder() -> Path:
    """Where state of a user's programs belongs (XDG).

    Raises:
        EdgeSdkError: This user has no home.
    """
    try:
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    except RuntimeError as error:
        raise EdgeSdkError(f"there is no folder for picks: {error}", hint="set XDG_STATE_HOME") from error
    return Path(state) / "edge-sdk" / "picks"


def write_pick(pick: Pick, folder: Path | None = None) -> Path:
    """Keep a pick, in the place of an earlier one; it is there whole or not at all.

    Raises:
        EdgeSdkError: The folder cannot be written, or there is none.
    """
    path = (folder or picks_folder()) / f"{pick.bundle.sha256}.json"
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(pick), indent=2) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise EdgeSdkError(
            f"cannot keep the pick in {path.parent}: {error.strerror or error}",
            hint="set XDG_STATE_HOME to a folder that this user may write",
        ) from error
    return path


def find_pick(bundle: Bundle, folder: Path | None = None) -> FoundPick:
    """What was picked for a bundle. Nothing is raised: a device without a pick runs all the same."""
    try:
        where = folder or picks_folder()
    except EdgeSdkError:
        return FoundPick()
    path = where / f"{bundle.sha256}.json"
    own = _read(path)
    if own is None and path.exists():
        return FoundPick(note=f"the pick in {path} cannot be read, and is passed over{_AGAIN}")
    if own is None:
        return FoundPick(note=_of_another_bundle(bundle, where))
    named = f"{own.variant} on {own.backend}"
    change = _change(own)
    if change is not None:
        return FoundPick(note=f"the pick, {named}, is passed over: it was measured {change}{_AGAIN}")
    if not any(variant.name == own.variant for variant in bundle.manifest.variants):
        return FoundPick(note=f"the pick, {named}, is passed over: the bundle has no such variant{_AGAIN}")
    return FoundPick(own, f"{named} was picked here, {own.median_ms:.3g} ms")


_AGAIN = "; `edge-sdk bench BUNDLE --pick` measures again"


def _change(pick: Pick) -> str | None:
    """What is not as it was when the pick was measured."""
    if pick.machine != this_machine():
        return f"on another machine: {pick.machine}"
    now = inference_versions()
    for name in sorted({*pick.versions, *now}):
        if pick.versions.get(name) != now.get(name):
            return f"with {name} {pick.versions.get(name, 'not installed')}, now {now.get(name, 'gone')}"
    return None


def _of_another_bundle(bundle: Bundle, folder: Path) -> str | None:
    manifest = bundle.manifest
    try:
        others = sorted(folder.glob("*.json"))
    except OSError:
        return None
    for other in map(_read, others):
        if other is not None and other.bundle.name == manifest.name:
            what = f"version {other.bundle.version}"
            if other.bundle.version == manifest.version:
                what = f"another file of version {other.bundle.version}"
            return f"the pick is passed over: it is for {what}, this is {manifest.version}{_AGAIN}"
    return None


def _read(path: Path) -> Pick | None:
    try:
        pick = msgspec.json.decode(path.read_bytes(), type=Pick)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return pick if pick.schema_version == 1 and path.stem == pick.bundle.sha256 else None

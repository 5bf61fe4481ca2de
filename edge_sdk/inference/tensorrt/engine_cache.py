"""Engines that were built on this device, or for it, in a folder of files."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from ...errors import BackendError, BackendUnavailableError
from .cuda import Gpu
from .engine_folder import build_command, rebuild_hint
from .fingerprint import Fingerprint
from .foreign_errors import MEMORY_HINT
from .sealed_file import (
    DamagedFileError,
    read_header,
    read_seal,
    read_sealed,
    read_with_seal,
    write_sealed,
)
from .trial_mark import USUAL_SETTINGS, TrialSettings, is_tried, remove_marks, write_mark

__all__ = ["EngineCache", "EngineRecord", "writing_hint"]

_KEY_DIGITS = 16


class EngineRecord(Struct, frozen=True, kw_only=True):
    """What is kept with an engine.

    Attributes:
        name: Of the model, as :func:`.model_name` gives it: ``forest-sounds/onnx-int8``.
        fingerprint: What it was built of, by and for.
        workspace_mb: Memory that its kernels may use beside weights and tensors, at most.
    """

    name: str
    fingerprint: Fingerprint
    workspace_mb: int


class _TimingRecord(Struct, frozen=True, kw_only=True):
    builder: Fingerprint


class EngineCache:
    """A folder of engines. Reading takes no lock: files appear whole.

    Args:
        folder: Made when something is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, fingerprint: Fingerprint) -> Path:
        """Where the engine of that fingerprint is, or will be."""
        model = fingerprint.onnx_sha256[:_KEY_DIGITS]
        return self.folder / f"{model}-{fingerprint.key[:_KEY_DIGITS]}.engine"

    def seal(self, fingerprint: Fingerprint) -> bytes | None:
        """What tells one content of an engine's file from another one; None where there is none."""
        try:
            return read_seal(self.path(fingerprint))
        except (OSError, DamagedFileError):
            return None

    def read(self, fingerprint: Fingerprint, name: str) -> memoryview:
        """The engine of that fingerprint.

        Args:
            fingerprint: Of what is needed here.
            name: What to call the model in messages.

        Raises:
            BackendError: There is none, the message tells which ones there are instead; or it is damaged.
        """
        return self.read_with_seal(fingerprint, name)[0]

    def read_with_seal(self, fingerprint: Fingerprint, name: str) -> tuple[memoryview, bytes]:
        """As :meth:`read`, and the seal of those very bytes, by which they are marked as tried."""
        path, hint = self.path(fingerprint), rebuild_hint(self.folder)
        try:
            record, plan, seal = read_with_seal(path, EngineRecord)
        except FileNotFoundError:
            raise BackendUnavailableError(self._absence(fingerprint, name), hint=hint) from None
        except OSError as error:
            raise BackendError(f"cannot read the engine {path}: {error.strerror}", hint=hint) from error
        except MemoryError as error:
            raise BackendError(
                f"there is no memory to read the engine {path} into", hint=MEMORY_HINT
            ) from error
        except DamagedFileError as error:
            raise BackendError(f"the engine {path} is damaged: {error}", hint=hint) from error
        if record.fingerprint != fingerprint:
            difference = record.fingerprint.differences(fingerprint)
            raise BackendError(f"the engine {path} is of {difference}", hint=hint)
        return plan, seal

    def workspace_mb(self, fingerprint: Fingerprint) -> int:
        """What an engine's kernels may use beside weights and tensors; 0 where that is not known."""
        try:
            return read_header(self.path(fingerprint), EngineRecord).workspace_mb
        except (OSError, DamagedFileError):
            return 0

    def read_tried(
        self, fingerprint: Fingerprint, name: str, gpu: Gpu, settings: TrialSettings = USUAL_SETTINGS
    ) -> memoryview:
        """The engine of that fingerprint, where it came through a trial in a process of its own.

        Args:
            fingerprint: Of what is needed here.
            name: What to call the model in messages.
            gpu: On which it must have run.
            settings: With which it must have run.

        Raises:
            BackendError: As :meth:`read`; or it was not tried, or did not come through.
        """
        plan, seal = self.read_with_seal(fingerprint, name)
        path = self.path(fingerprint)
        if not is_tried(path, gpu, settings, seal=seal):
            usual = settings.on(gpu) == USUAL_SETTINGS
            how, options = ("", []) if usual else (f" with {settings}", ["--config CONFIG.toml"])
            raise BackendUnavailableError(
                f"the engine of {name} has not run yet on {gpu.name} under CUDA {gpu.cuda}{how}: {path}",
                hint=f"`{build_command(self.folder, *options)}` tries it in a process of its own, lest it "
                "crash this one, and builds again what does not run",
            )
        return plan

    def write(self, record: EngineRecord, plan: bytes | memoryview) -> Path:
        """Keep an engine; the caller holds the lock of the folder.

        Raises:
            BackendError: It cannot be written.
        """
        path = self.path(record.fingerprint)
        try:
            write_sealed(path, record, plan, partial=path.with_suffix(".partial"))
            remove_marks(path)
        except OSError as error:
            raise BackendError(
                f"cannot write the engine to {self.folder}: {error.strerror}",
                hint=writing_hint(error, len(plan)),
            ) from error
        return path

    def mark_tried(
        self, fingerprint: Fingerprint, gpu: Gpu, settings: TrialSettings = USUAL_SETTINGS, *, seal: bytes
    ) -> None:
        """Say that an engine ran, so that it is loaded from now on.

        Args:
            fingerprint: Its own.
            gpu: On which it ran.
            settings: With which it ran.
            seal: Of the bytes that ran.

        Raises:
            BackendError: That cannot be written.
        """
        path = self.path(fingerprint)
        try:
            write_mark(path, gpu, settings, seal=seal)
        except OSError as error:
            raise BackendError(
                f"the engine {path} runs, but cannot be marked so: {error}", hint=writing_hint(error, 0)
            ) from error

    def remove_superseded(self, current: Fingerprint, name: str) -> list[Path]:
        """Remove engines for the same GPU of which no TensorRT here, or no bundle, will make use any more.

        Args:
            current: Of the engine that takes their place.
            name: Of its model; what had it before was of an older version of the bundle.

        Returns:
            What was removed.
        """
        removed = []
        for path, record in self._records():
            other = record.fingerprint
            same_gpu = all(
                getattr(other, part) == getattr(current, part)
                for part in ("product", "compute_capability", "board")
            )
            same_model = name == record.name or other.onnx_sha256 == current.onnx_sha256
            if other != current and same_gpu and same_model:
                with contextlib.suppress(OSError):
                    path.unlink()
                    remove_marks(path)
                    removed.append(path)
        return removed

    def remove_partial(self) -> None:
        """Remove what builders left that were killed; the caller holds the lock of the folder."""
        for path in self.folder.glob("*.partial"):
            with contextlib.suppress(OSError):
                path.unlink()

    def read_timings(self, builder: Fingerprint) -> bytes:
        """What was measured of kernels in earlier builds, of any model; empty where there is nothing."""
        try:
            record, content = read_sealed(self._timings(builder), _TimingRecord)
        except (OSError, DamagedFileError):  # it only saves time
            return b""
        return bytes(content) if record.builder == builder else b""

    def write_timings(self, builder: Fingerprint, content: bytes) -> None:
        """Keep it for the next build; the caller holds the lock of the folder."""
        path = self._timings(builder)
        with contextlib.suppress(OSError):  # it only saves time
            write_sealed(path, _TimingRecord(builder=builder), content, partial=path.with_suffix(".partial"))

    def _timings(self, builder: Fingerprint) -> Path:
        return self.folder / f"{builder.key[:_KEY_DIGITS]}.timings"

    def _records(self) -> Iterator[tuple[Path, EngineRecord]]:
        for path in sorted(self.folder.glob("*.engine")):
            with contextlib.suppress(OSError, DamagedFileError):
                yield path, read_header(path, EngineRecord)

    def _absence(self, wanted: Fingerprint, name: str) -> str:
        """Why there is nothing, by what there is: the same model first, then one of the same name."""
        found = [(path, record) for path, record in self._records()]
        same_model = [item for item in found if item[1].fingerprint.onnx_sha256 == wanted.onnx_sha256]
        same_name = [item for item in found if item[1].name == name]
        for path, record in [*same_model, *same_name]:
            difference = record.fingerprint.differences(wanted)
            return f"the engine of {name} is of {difference}: {path}"
        return f"no engine of {name} is in {self.folder}"


def writing_hint(error: OSError, size: int) -> str:
    """What to do where something cannot be written."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return f"make room for {size / 1e6:.0f} MB, or name another folder with --cache"
    return "name a folder that this user may write with --cache"

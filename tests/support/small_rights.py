"""A process that must keep to the rights of files, though root started it, or to a limit of their size."""

from __future__ import annotations

import ctypes
import os

__all__ = ["WITHOUT_BYTECODE", "without_root_rights"]

WITHOUT_BYTECODE = {"PYTHONDONTWRITEBYTECODE": "1"}
"""For the environment of a process whose files may not grow: Python would leave a compiled module cut off
beside its source, which nobody can import from then on."""

_PR_CAPBSET_DROP = 24
_DAC_OVERRIDE, _DAC_READ_SEARCH, _FOWNER = 1, 2, 3


def without_root_rights() -> None:
    """For ``preexec_fn``: what is executed next may write only where its user may."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (_DAC_OVERRIDE, _DAC_READ_SEARCH, _FOWNER):
            if libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
                raise OSError(ctypes.get_errno(), "cannot drop the rights of root")

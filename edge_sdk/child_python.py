"""How a module of ours is started in a Python process of its own."""

from __future__ import annotations

import sys

__all__ = ["module_command"]

# What `-P` does, which Python has since 3.11; `-I` would hide a user's own packages, too.
_RUN_WITHOUT_CURRENT_FOLDER = (
    "import runpy, sys; del sys.path[0]; "
    "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)


def module_command(module: str, *arguments: str) -> list[str]:
    """The command line that runs a module as ``python -m`` does, but never one of the current folder.

    A ``device.py`` that happens to lie there would else stand in for our package of that name.

    Args:
        module: Its full name.
        arguments: What it is given.
    """
    if sys.version_info >= (3, 11):
        return [sys.executable, "-P", "-m", module, *arguments]
    return [sys.executable, "-c", _RUN_WITHOUT_CURRENT_FOLDER, module, *arguments]

"""Whether a module is not installed, or is and lacks something that it needs."""

from __future__ import annotations

__all__ = ["is_absent"]


def is_absent(module: str, error: ModuleNotFoundError) -> bool:
    """Whether it is the module itself that was not found, or a package that it is in.

    Else it was found, and what it imports was not: to install it once more, as it was, would not help.

    Args:
        module: Full name of what was imported.
        error: What came of that.
    """
    return f"{module}.".startswith(f"{error.name}.")

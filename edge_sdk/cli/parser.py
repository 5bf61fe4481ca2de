"""The command line's parser: wrong use is an error like every other."""

from __future__ import annotations

import argparse
import sys
from typing import Any, NoReturn

from ..errors import UsageError

__all__ = ["VerbParser"]


class VerbParser(argparse.ArgumentParser):
    """Takes whole option names only, and raises instead of ending the process.

    An abbreviation that works today would change its meaning with the next option.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        """Show the usage, and refuse.

        Raises:
            UsageError: Always.
        """
        self.print_usage(sys.stderr)
        raise UsageError(message, hint=f"'{self.prog} --help' tells more")

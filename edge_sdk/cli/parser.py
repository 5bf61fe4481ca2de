"""The command line's parser: wrong use is an error like every other."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from ..contract.nearest_name import nearest_name
from ..errors import UsageError

__all__ = ["VerbParser"]


class VerbParser(argparse.ArgumentParser):
    """Takes whole option names only, and raises instead of ending the process.

    An abbreviation that works today would change its meaning with the next option.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Read a command line.

        Raises:
            UsageError: It does not hold; a misspelt option or word is told with the nearest one.
        """
        found, unknown = self.parse_known_args(args, namespace)
        if unknown:
            self._refuse(f"unrecognized arguments: {' '.join(unknown)}", self._nearest_option(unknown))
        return found

    def error(self, message: str) -> NoReturn:
        """Show the usage, and refuse.

        Raises:
            UsageError: Always.
        """
        self._refuse(message, None)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse what is none of an argument's choices."""
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            self._refuse(str(error), nearest_name(str(value), map(str, action.choices or ())))

    def _nearest_option(self, unknown: Sequence[str]) -> str | None:
        # Without their hyphens, in which all are alike.
        wrong = next((word[2:].partition("=")[0] for word in unknown if word.startswith("--")), None)
        known = [name[2:] for name in self._option_string_actions if name.startswith("--")]
        near = None if wrong is None else nearest_name(wrong, known)
        return None if near is None else f"--{near}"

    def _refuse(self, message: str, meant: str | None) -> NoReturn:
        self.print_usage(sys.stderr)
        more = f"'{self.prog} --help' tells more"
        raise UsageError(message, hint=more if meant is None else f"did you mean '{meant}'? {more}")

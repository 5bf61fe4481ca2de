"""What a model contradicts in its spec, and a person keeps all the same: never without a reason on record."""

from __future__ import annotations

from collections.abc import Mapping

from edge_sdk.contract.provenance import Accepted
from edge_sdk.errors import SpecError

from ..spec.detector_accept import DETECTOR_KEYS

__all__ = ["Acceptance"]


class Acceptance:
    """Lets pass what the spec's ``accept`` tables name, and keeps what that was.

    Args:
        reasons: Why each is kept, by the key under ``[image.accept]`` or ``[detector.accept]``.
    """

    def __init__(self, reasons: Mapping[str, str]) -> None:
        self._reasons = reasons
        self.found: list[Accepted] = []

    def covers(self, key: str) -> bool:
        """Whether a contradiction of that key is accepted."""
        return key in self._reasons

    def take(self, findings: Mapping[str, str], hint: str) -> None:
        """Take what was found, by the key that it contradicts.

        Args:
            findings: What is wrong, in words; all of it in one table.
            hint: What to do about it.

        Raises:
            SpecError: Something in it is not accepted.
        """
        open_keys = [key for key in findings if not self.covers(key)]
        if open_keys:
            lines = ", ".join(f'{key} = "..."' for key in open_keys)
            table = _table(open_keys[0])
            raise SpecError(
                f"the spec's [{table}] contradicts the model: "
                f"{'; '.join(findings[key] for key in open_keys)}",
                hint=f"{hint}; or, if it is meant so, say why under [{table}.accept]: {lines}",
            )
        self.found += [
            Accepted(key=key, finding=finding, reason=self._reasons[key]) for key, finding in findings.items()
        ]

    def warnings(self) -> list[str]:
        """For the report: what was accepted, and what of it was not needed."""
        needed = {item.key for item in self.found}
        return [
            *(f"accepted ({item.key}: {item.reason}): {item.finding}" for item in self.found),
            *(
                f"[{_table(key)}.accept] {key} is not needed: nothing contradicts it"
                for key in self._reasons
                if key not in needed
            ),
        ]


def _table(key: str) -> str:
    return "detector" if key in DETECTOR_KEYS else "image"

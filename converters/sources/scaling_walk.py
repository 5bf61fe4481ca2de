"""The way from a graph's input through what scales it, in operations that know no format.

Additions and multiplications by constants scale pixels, and an exchange of channels decides which constant
meets which. What moves, cuts, enlarges or clips pixels leaves their scale as it is, and is looked through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from edge_sdk.contract.values import Array

from .channel_cuts import Cuts, remaining_channels

__all__ = ["TURNS", "Operation", "ScalingWalk", "Step", "plain_kind"]

Kind: TypeAlias = Literal["add", "subtract", "multiply", "divide", "order"]
Step: TypeAlias = tuple[Kind, Array]
"""What is done, and the constant; of ``order`` the index of the channel that each place is taken from."""

_Constant: TypeAlias = Callable[[str], "Array | None"]
_Shape: TypeAlias = Callable[[str], "Sequence[int | None] | None"]

# Names of the three formats in lower case without underscores: they hardly differ, and do not collide.
_ARITHMETIC: Mapping[str, Kind] = {
    "add": "add",
    "addv2": "add",
    "biasadd": "add",
    "sub": "subtract",
    "mul": "multiply",
    "div": "divide",
    "realdiv": "divide",
}
_PASSED = frozenset(
    (
        *("identity", "cast", "noop", "quantize", "dequantize", "quantizelinear", "dequantizelinear"),
        *("transpose", "reshape", "expanddims", "unsqueeze", "squeeze", "tile"),
        *("pad", "padv2", "mirrorpad", "resize", "scaleandtranslate"),
        *("resizebilinear", "resizebicubic", "resizearea", "resizenearestneighbor"),
        *("minimum", "maximum", "clip", "clipbyvalue"),
    )
)
_SLICES = frozenset(("slice", "stridedslice"))
_SPLITS = frozenset(("split", "splitv"))
_JOINS = frozenset(("pack", "concat", "concatv2", "concatenation"))
_REVERSALS = frozenset(("reversev2", "reversesequence"))
_GATHERS = frozenset(("gather", "gatherv2"))
TURNS = _SLICES | _REVERSALS | _GATHERS
"""What may exchange channels, or cut pictures smaller."""


@dataclass(frozen=True)
class Operation:
    """One of a graph; tensors by name."""

    kind: str
    taken: Sequence[str]
    given: Sequence[str]
    cuts: Cuts = field(default_factory=dict)


def plain_kind(kind: str) -> str:
    """A format's own name of a kind of operation, as it is known here."""
    return kind.replace("_", "").lower()


class ScalingWalk:
    """Goes from the input through operations of which each reads the one before alone.

    Args:
        operations: All of the graph.
        constant: The value of a tensor that depends on no input; None for others.
        shape: Of a tensor, as far as it is known.
        channels: So many a pixel has.
    """

    def __init__(
        self, operations: Iterable[Operation], constant: _Constant, shape: _Shape, channels: int
    ) -> None:
        self._readers: dict[str, list[Operation]] = {}
        for operation in operations:
            for name in dict.fromkeys(operation.taken) if operation.kind != "shape" else ():
                self._readers.setdefault(name, []).append(operation)
        self._constant = constant
        self._shape = shape
        self._straight = list(range(channels))

    def begun_at(self, tensor: str) -> list[Step]:
        """What is done from a tensor on, up to the first layer."""
        steps: list[Step] = []
        while readers := self._readers.get(tensor, []):
            first = readers[0]
            if len(readers) > 1 or first.kind in _SPLITS:
                step, tensor = self._reordered(tensor, readers)
            elif first.kind in _PASSED or (first.kind == "relu" and not steps):  # pixels are not below 0
                step, tensor = None, first.given[0]
                continue
            else:
                step, tensor = self._step(first, tensor), first.given[0] if first.given else ""
            if step is None:
                break
            steps.append(step)
        return steps

    def _step(self, operation: Operation, tensor: str) -> Step | None:
        if operation.kind in _ARITHMETIC:
            return self._scaled(operation, tensor)
        order = self._order(operation) if operation.kind in TURNS else None
        return None if order is None else ("order", np.array(order))

    def _scaled(self, operation: Operation, tensor: str) -> Step | None:
        """What is done with the constant; None without one, or where it stands before a minus or a slash."""
        kind = _ARITHMETIC[operation.kind]
        operands = [None if name == tensor else self._constant(name) for name in operation.taken]
        if len(operands) != 2:
            return None
        first, second = operands
        if second is not None:
            return kind, second
        if first is None or kind in ("subtract", "divide"):
            return None
        return kind, first

    def _order(self, operation: Operation) -> list[int] | None:
        """Where each channel is taken from, of an operation that turns or cuts; None if some are left out."""
        if operation.kind in _GATHERS:
            value = self._constant(operation.taken[1]) if len(operation.taken) > 1 else None
            chosen = [] if value is None else [int(number) for number in np.asarray(value).reshape(-1)]
        else:
            chosen = self._kept(operation) or []
        return chosen if sorted(chosen) == self._straight else None

    def _kept(self, operation: Operation) -> list[int] | None:
        before, after = (self._shape(names[0]) for names in (operation.taken, operation.given))
        return remaining_channels(operation.cuts, before, after, len(self._straight))

    def _reordered(self, tensor: str, readers: Sequence[Operation]) -> tuple[Step | None, str]:
        """Channels that are taken apart and put together: the order, and what comes of it."""
        places: dict[str, int] = {}
        for reader in readers:
            if reader.kind in _SPLITS:
                places |= {name: place for place, name in enumerate(reader.given)}
            elif reader.kind in _SLICES and reader.taken[0] == tensor:
                kept = self._kept(reader) or []
                if len(kept) == 1:
                    places[reader.given[0]] = kept[0]
        joins = {id(join): join for name in places for join in self._readers.get(name, [])}
        if len(joins) != 1:
            return None, ""
        (join,) = joins.values()
        order = [places[name] for name in join.taken if name in places]
        if join.kind not in _JOINS or sorted(order) != self._straight:
            return None, ""
        return ("order", np.array(order)), join.given[0]

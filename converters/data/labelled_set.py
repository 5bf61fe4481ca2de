"""Labelled samples of any kind: what is judged on them does not depend on what they are."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from edge_sdk.console.foreign_text import valid_text
from edge_sdk.contract.manifest import SourceFile
from edge_sdk.errors import DatasetError

from .nouns import Nouns

__all__ = ["LabelledSet", "Sample", "refuse_contradictions", "refuse_shared_samples"]


class Sample(Protocol):
    """One labelled file."""

    @property
    def name(self) -> str:
        """Its path below the data set's folder, with forward slashes."""
        ...

    @property
    def labels(self) -> frozenset[str]:
        """Ids of what is in it; empty for background."""
        ...

    @property
    def sha256(self) -> str:
        """Digest of the file."""
        ...

    @property
    def truth_text(self) -> str:
        """Everything that is said about it, as one text: part of the set's digest."""
        ...


SampleT = TypeVar("SampleT", bound=Sample)


@dataclass(frozen=True)
class LabelledSet(Generic[SampleT]):
    """Samples in the order of their names.

    Attributes:
        root: The folder.
        label_ids: All labels of the model, in its order.
        samples: The files.
    """

    root: Path
    label_ids: tuple[str, ...]
    samples: tuple[SampleT, ...]

    @property
    def truth(self) -> npt.NDArray[np.bool_]:
        """Which labels each sample has, shape ``[samples, labels]``."""
        columns = {label_id: column for column, label_id in enumerate(self.label_ids)}
        truth = np.zeros((len(self.samples), len(self.label_ids)), dtype=np.bool_)
        for row, sample in enumerate(self.samples):
            truth[row, [columns[label_id] for label_id in sample.labels]] = True
        return truth

    @property
    def covered(self) -> tuple[str, ...]:
        """Labels that at least one sample has, in the model's order."""
        present = frozenset[str]().union(*(sample.labels for sample in self.samples))
        return tuple(label_id for label_id in self.label_ids if label_id in present)

    @property
    def digest(self) -> SourceFile:
        """The set by content: names, labels and files."""
        whole = hashlib.sha256()
        for sample in self.samples:
            whole.update(f"{sample.name}\0{sample.truth_text}\0{sample.sha256}\n".encode())
        return SourceFile(name=valid_text(self.root.name), sha256=whole.hexdigest(), n=len(self.samples))


def refuse_shared_samples(calibration: LabelledSet[Any], evaluation: LabelledSet[Any], nouns: Nouns) -> None:
    """Refuse to judge a model on samples that it was calibrated with.

    Raises:
        DatasetError: A sample, by content, is in both; names some of them.
    """
    known = {sample.sha256: sample.name for sample in calibration.samples}
    shared = [
        f"{sample.name} (calibration: {known[sample.sha256]})"
        for sample in evaluation.samples
        if sample.sha256 in known
    ]
    if shared:
        raise DatasetError(
            f"{nouns.many} are in both calibration and evaluation ({len(shared)}): {', '.join(shared[:5])}",
            hint=f"split by source; figures from shared {nouns.many} would be too good",
        )


def refuse_contradictions(root: Path, samples: Sequence[Sample], nouns: Nouns, hint: str) -> None:
    """The same file cannot be labelled in two ways: it would be right in one place and wrong in the other.

    Raises:
        DatasetError: Two files of the same content have different labels; names both.
    """
    first: dict[str, Sample] = {}
    for sample in samples:
        known = first.setdefault(sample.sha256, sample)
        if known.truth_text != sample.truth_text:
            raise DatasetError(
                f"{known.name} and {sample.name} in {root} are the same {nouns.one} with different labels",
                hint=hint,
            )

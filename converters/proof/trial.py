"""What proving a variant takes that depends on what the model is for. The rest of the proof does not.

Three kinds are known: :class:`.sound.SoundTrial`, :class:`.picture_classes.PictureClassesTrial` and
:class:`.boxes.BoxesTrial`. A trial keeps what each model answered, so that answers of one kind never
meet code of another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from edge_sdk.console.progress import Progress
from edge_sdk.contract.manifest import Metric, Precision
from edge_sdk.contract.manifest_document import Input, Output
from edge_sdk.contract.values import Array, Float32Array
from edge_sdk.errors import BackendError
from edge_sdk.inference.backend import Backend

from ..data.labelled_set import LabelledSet
from ..data.nouns import Nouns
from ..report.report_file import LabelFigures, Moved, Summary
from ..variants.made import Calibration

__all__ = ["SOURCE", "GoldenSamples", "Judged", "Tolerance", "Trial", "Verdict"]

SOURCE = "float source"
"""Under this name a trial runs the trained model itself."""


@dataclass(frozen=True)
class GoldenSamples:
    """A few real inputs with known answers, by which a device proves itself.

    Attributes:
        inputs: Sound, float32 ``[n, window_samples]``; or pictures, uint8 ``[n, height, width, 3]``.
        expected: The float source's answers: scores, float32 ``[n, labels]``, or boxes as
            :func:`edge_sdk.inference.golden_boxes.golden_rows` has them.
        names: Where each is from.
    """

    inputs: Array
    expected: Float32Array
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a healthy device may be off.

    Attributes:
        bound: Of a score.
        least_iou: Of a box: how much it must overlap the expected one; None where there are no boxes.
    """

    bound: float
    least_iou: float | None = None


@dataclass(frozen=True)
class Verdict:
    """What the gate says about one variant.

    Attributes:
        refusal: Why it may not be used; empty where it may.
        drop: Of the metric; negative where the variant is better.
        agreement: Share of decisions that equal the float source's.
        max_abs_difference: Of a score.
        worst_label: The label that lost most.
        worst_label_drop: How much.
        furthest: Samples where it is furthest from the float source.
    """

    refusal: str
    drop: float
    agreement: float
    max_abs_difference: float
    worst_label: str | None
    worst_label_drop: float | None
    furthest: list[Moved]


@dataclass(frozen=True)
class Judged:
    """The figures of one model on the evaluation set.

    Attributes:
        metric: The one that the gate looks at.
        labels: By label.
        more: Further figures, for the report alone.
    """

    metric: Metric
    labels: Sequence[LabelFigures]
    more: list[Metric] = field(default_factory=list)


class Trial(Protocol):
    """One model of one kind, its data sets, and what all forms of it answered.

    Attributes:
        nouns: What its samples are called.
    """

    nouns: Nouns

    @property
    def input(self) -> Input:
        """How the manifest says that the model is fed."""
        ...

    @property
    def output(self) -> Output:
        """How the manifest says that the model is read."""
        ...

    @property
    def calibration_set(self) -> LabelledSet[Any] | None:
        """Samples for integer variants, if any were given."""
        ...

    @property
    def evaluation_set(self) -> LabelledSet[Any]:
        """Samples that judge."""
        ...

    def first_tensors(self) -> list[Array]:
        """What the model is fed for a few samples, each with its batch axis."""
        ...

    def check_source(self, tensors: Sequence[Array], progress: Progress) -> list[str]:
        """Hold what the trained model answers against the spec; gives warnings for the report.

        Raises:
            SpecError: They contradict each other.
        """
        ...

    def calibration(self, progress: Progress) -> Calibration:
        """The tensors of the calibration set.

        Raises:
            DatasetError: It does not cover what is judged.
        """
        ...

    def try_once(self, backend: Backend) -> None:
        """Run a variant once: some load and then fail.

        Raises:
            BackendError: It does not run.
            ModelError: It cannot be fed or read as the manifest says.
        """
        ...

    def run(self, models: Mapping[str, Backend], progress: Progress) -> dict[str, BackendError]:
        """Run models over the evaluation set, and keep their answers; gives why some broke."""
        ...

    def figures(self, name: str) -> Judged:
        """The figures of one model that was run."""
        ...

    def judge(self, name: str) -> Verdict:
        """Hold one model that was run against the float source."""
        ...

    def choose_golden(self) -> GoldenSamples:
        """Choose samples by the float source's answers; the same answers give the same choice."""
        ...

    def answer_golden(self, backend: Backend, samples: GoldenSamples) -> Float32Array:
        """A variant's answers to the golden samples.

        Raises:
            BackendError: It does not run, or gives no finite numbers.
        """
        ...

    def tolerance(
        self, precision: Precision, answers: Sequence[Float32Array], samples: GoldenSamples
    ) -> Tolerance:
        """From answers under several sets of kernels, the reference first, to what a device may be off."""
        ...

    def timed_tensor(self, backend: Backend, samples: GoldenSamples) -> Array:
        """What a variant is fed for the first golden sample."""
        ...

    def summary(self) -> Summary:
        """What the figures rest on."""
        ...

    def warnings(self, samples: GoldenSamples, bound: float) -> list[str]:
        """What the evidence does not show.

        Args:
            samples: The golden samples.
            bound: The widest of the variants that passed.
        """
        ...

"""What proving a variant takes that depends on what the model is for. The rest of the proof does not.

Three kinds are known: :class:`.sound.SoundTrial`, :class:`.picture_classes.PictureClassesTrial` and
:class:`.boxes.BoxesTrial`. A trial keeps what each model answered, so that answers of one kind never
meet code of another. What they have in common they hold: a :class:`.case.Case` and
:class:`.answers.Answers`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from edge_sdk.console.progress import Progress
from edge_sdk.contract.golden import MOST_BOUND
from edge_sdk.contract.manifest import Precision
from edge_sdk.contract.manifest_document import Input, Output
from edge_sdk.contract.values import Array, Detections, Float32Array
from edge_sdk.errors import BackendError
from edge_sdk.inference.backend import Backend

from ..data.nouns import Nouns
from ..report.report_file import Summary
from ..variants.made import Calibration
from .answers import Answers
from .case import Case

__all__ = ["GoldenAnswer", "GoldenSamples", "Tolerance", "Trial"]


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
class GoldenAnswer:
    """What one set of kernels makes of the golden samples.

    Attributes:
        given: As :attr:`GoldenSamples.expected`.
        before: Of a detector: what it finds in each picture before suppression; empty where no rule of ours
            drops any box for good, or there are no boxes.
    """

    given: Float32Array
    before: tuple[Detections, ...] = ()


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a healthy device may be off.

    Attributes:
        bound: Of a score; at most :data:`.MOST_BOUND`.
        least_iou: Of a box: how much it must overlap the expected one; None where there are no boxes.
        difference: The largest between the sets of kernels that it was measured with.
    """

    bound: float
    least_iou: float | None = None
    difference: float = 0.0

    @property
    def contradicted(self) -> bool:
        """Whether these kernels are further apart than any bound: they are not all right."""
        return self.difference > MOST_BOUND


class Trial(Protocol):
    """One model of one kind, its data sets, and what all forms of it answered."""

    @property
    def nouns(self) -> Nouns:
        """What its samples are called."""
        ...

    @property
    def case(self) -> Case[Any]:
        """The model and its data sets."""
        ...

    @property
    def input(self) -> Input:
        """How the manifest says that the model is fed."""
        ...

    @property
    def output(self) -> Output:
        """How the manifest says that the model is read."""
        ...

    @property
    def answers(self) -> Answers[Any]:
        """What the models answered that were run."""
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

    def check_calibration(self) -> list[str]:
        """Hold the calibration set against what is judged; gives warnings for the report.

        Raises:
            DatasetError: It is one-sided.
        """
        ...

    def calibration(self, progress: Progress) -> Calibration:
        """The tensors of the calibration set."""
        ...

    def try_once(self, backend: Backend) -> None:
        """Run a variant once: some load and then fail.

        Raises:
            BackendError: It does not run.
            ModelError: It cannot be fed or read as the manifest says.
        """
        ...

    def run(self, models: Mapping[str, Backend], progress: Progress) -> dict[str, BackendError]:
        """Run models over the evaluation set, and keep their answers; gives why some broke off."""
        ...

    def choose_golden(self) -> GoldenSamples:
        """Choose samples by the float source's answers; the same answers give the same choice."""
        ...

    def answer_golden(self, backend: Backend, samples: GoldenSamples) -> GoldenAnswer:
        """A variant's answers to the golden samples.

        Raises:
            BackendError: It does not run, or gives no finite numbers.
        """
        ...

    def tolerance(
        self, precision: Precision, answers: Sequence[GoldenAnswer], samples: GoldenSamples
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

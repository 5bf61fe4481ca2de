"""From sound to events: windows, scores, rules, and an account of what was inspected.

Pure: no clock, thread, identity or socket. The same samples give the same events, whatever blocks
they come in, live or from a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING

from edge_sdk.contract.bundle import Bundle
from edge_sdk.contract.manifest import Rule, Variant
from edge_sdk.contract.values import AudioBlock, AudioWindow, End, Event, SourceItem, WindowScores
from edge_sdk.decode.event_rule import EventRules
from edge_sdk.errors import BackendError
from edge_sdk.inference.backend import Backend
from edge_sdk.inference.open import choose_variant, open_backend
from edge_sdk.inference.scorer import AudioScorer

from .coverage import CoverageCounter, Covered

if TYPE_CHECKING:
    from typing_extensions import Self

    from edge_sdk.inference.fallback import Opened

__all__ = ["INFERENCE_FAULT", "Pipeline"]

INFERENCE_FAULT = "inference"


class Pipeline:
    """Turns one source's items into events. A context manager; for one thread.

    A window that the engine fails on is logged, counted in :attr:`covered` and told to the rules as
    not inspected: it is never a negative.

    Args:
        scorer: Front end, model and decoding.
        rules: Event rule by label id.
        backend: Closed with the pipeline, where it is given.
        variant: Which variant of a bundle this is, where it came from one.
        on_scores: Called with every window that was scored.
        max_faults_in_a_row: After so many windows that failed one after the other, the error is raised.
    """

    def __init__(
        self,
        scorer: AudioScorer,
        rules: Mapping[str, Rule],
        *,
        backend: Backend | None = None,
        variant: Variant | None = None,
        on_scores: Callable[[WindowScores], None] | None = None,
        max_faults_in_a_row: int = 20,
    ) -> None:
        self.variant = variant
        self.backend = backend
        self._scorer = scorer
        self._rule_by_label = dict(rules)
        self._on_scores = on_scores
        self._max_faults_in_a_row = max_faults_in_a_row
        self._begin()

    @classmethod
    def open(
        cls,
        bundle: Bundle,
        variant: str | None = None,
        *,
        threads: int = 1,
        opened: Opened | None = None,
        rules: Mapping[str, Rule] | None = None,
        on_scores: Callable[[WindowScores], None] | None = None,
    ) -> Pipeline:
        """Load a variant of a bundle.

        Args:
            bundle: Verified.
            variant: Which one; by default the bundle's first whose engine is installed.
            threads: Threads that one inference may use.
            opened: What runs a variant already, instead of the two before: see
                :func:`edge_sdk.inference.fallback.open_first`. Closed with the pipeline.
            rules: Event rules by label id, instead of the bundle's.
            on_scores: Called with every window that was scored.

        Raises:
            UsageError: There is no such variant.
            MissingExtraError: Its engine is not installed.
            BackendError: The engine refuses it.
            ModelError: It does not fit the manifest.
        """
        manifest = bundle.manifest
        if opened is None:
            chosen = choose_variant(manifest, variant)
            name = f"{bundle.path.name}/{chosen.name}"
            backend = open_backend(bundle.read(chosen.file), chosen.format, threads=threads, name=name)
        else:
            chosen, backend = opened.choice.variant, opened.backend
        scorer = AudioScorer(manifest.audio, manifest.classes, manifest.label_ids, backend)
        chosen_rules = manifest.rules if rules is None else rules
        return cls(scorer, chosen_rules, backend=backend, variant=chosen, on_scores=on_scores)

    @property
    def sample_rate_hz(self) -> int:
        """The model's rate, in which positions and events count."""
        return self._scorer.audio.sample_rate_hz

    @property
    def position(self) -> int:
        """Samples since the start of the source, gaps included."""
        return self._scorer.position

    @property
    def covered(self) -> Covered:
        """What was inspected since the start of the source."""
        return self._coverage.total(self.position)

    @property
    def open_events(self) -> tuple[Event, ...]:
        """Events that have begun and not ended."""
        return self._rules.open_events

    def take_coverage(self) -> Covered:
        """What was inspected since this was last asked."""
        return self._coverage.take(self.position)

    def push(self, item: SourceItem) -> Iterator[Event]:
        """Take the next item of the source, and give the events that it decides.

        Work is done as the iterator is consumed: consume it to its end. With
        :class:`~edge_sdk.contract.values.End`, open events end; before another source, call
        :meth:`begin_source`.

        Raises:
            SourceError: The sound holds something that is no finite number.
            BackendError: Too many windows failed one after the other.
        """
        if isinstance(item, AudioBlock):
            yield from self._inspect(self._scorer.windows(item))
        elif isinstance(item, End):
            yield from self._inspect(self._scorer.flush())
            yield from self._rules.close(item.reason)
        else:
            before = self.position
            yield from self._inspect(self._scorer.windows(item))
            self._coverage.fault(item.reason)
            # 0 stands for a gap of unknown length; a known one that rounds to 0 is still known.
            yield from self._rules.gap(max(1, self.position - before) if item.samples else 0)

    def lose(self, fault: str | None = None) -> list[Event]:
        """End what is open as ``source_lost``, because nothing more of this source will be inspected.

        Args:
            fault: Counted in :attr:`covered`, where what happened is not yet.
        """
        if fault is not None:
            self._coverage.fault(fault)
        return self._rules.close("source_lost")

    def begin_source(self) -> None:
        """Forget everything: the next item is the first of another source, at position 0."""
        self._scorer.reset()
        self._begin()

    def close(self) -> None:
        """Release the model."""
        if self.backend is not None:
            self.backend.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin(self) -> None:
        self._rules = EventRules(self._rule_by_label)
        self._coverage = CoverageCounter()
        self._faults_in_a_row = 0

    def _inspect(self, windows: Iterable[AudioWindow]) -> Iterator[Event]:
        for window in windows:
            scores = self._score(window)
            if scores is None:
                yield from self._rules.miss(self._scorer.audio.step_samples)
                continue
            self._coverage.inspected(scores.start, scores.stop)
            if self._on_scores is not None:
                self._on_scores(scores)
            yield from self._rules.push(scores)

    def _score(self, window: AudioWindow) -> WindowScores | None:
        """Score one window; ``None`` where the engine failed on it."""
        try:
            scores = self._scorer.score(window)
        except BackendError as error:
            self._count_fault(window, error)
            return None
        self._faults_in_a_row = 0
        return scores

    def _count_fault(self, window: AudioWindow, error: BackendError) -> None:
        self._coverage.fault(INFERENCE_FAULT)
        self._faults_in_a_row += 1
        import logging  # never needed by a device that is well

        logger = logging.getLogger(__name__)
        logger.warning("the window at sample %d was not inspected: %s", window.start, error.message)
        if self._faults_in_a_row >= self._max_faults_in_a_row:
            raise BackendError(
                f"{self._faults_in_a_row} windows in a row could not be inspected: {error.message}",
                hint=error.hint,
            ) from error

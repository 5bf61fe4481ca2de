"""The first choice that works here, and why the ones before it do not."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..console.told_once import told_once
from ..contract.bundle import Bundle
from ..errors import (
    BackendError,
    EdgeSdkError,
    MissingExtraError,
    ModelError,
    UsageError,
    VerificationError,
)
from .backend import Backend
from .choice import Choice
from .golden_result import GoldenResult
from .model_name import model_name
from .open import open_backend
from .options import AS_SUITS_THIS_DEVICE, EngineOptions

__all__ = ["Opened", "Refused", "open_choice", "open_first"]

_REFUSALS = (MissingExtraError, BackendError, ModelError, VerificationError)


@dataclass(frozen=True, slots=True)
class Refused:
    """A choice that does not work here.

    Attributes:
        reason: Why.
        hint: What can be done about it.
    """

    choice: Choice
    reason: str
    hint: str | None


@dataclass(frozen=True, slots=True)
class Opened:
    """What runs.

    Attributes:
        backend: Has it loaded; the caller's to close.
        golden: What the golden samples gave; None where they were not asked for.
        refused: What was to go before it, in that order.
    """

    choice: Choice
    backend: Backend
    golden: GoldenResult | None
    refused: tuple[Refused, ...]


def open_choice(bundle: Bundle, choice: Choice, options: EngineOptions = AS_SUITS_THIS_DEVICE) -> Backend:
    """Load one variant into one backend.

    Args:
        bundle: Verified.
        choice: Of its variants.
        options: How what runs it works.

    Raises:
        MissingExtraError: The library is not installed.
        BackendError: It refuses the model, or there is no engine, driver or device.
    """
    variant = choice.variant
    return open_backend(
        bundle.read(variant.file),
        variant.format,
        backend=choice.backend,
        name=model_name(bundle.manifest, variant),
        options=options,
    )


def open_first(
    bundle: Bundle,
    choices: Sequence[Choice],
    options: EngineOptions = AS_SUITS_THIS_DEVICE,
    *,
    golden: bool = True,
    on_refused: Callable[[Refused], None] = lambda _: None,
) -> Opened:
    """Load the first choice that works.

    Args:
        bundle: Verified.
        choices: At least one, in the order to try them: see :func:`.possible_choices`.
        options: How what runs it works.
        golden: Whether it must pass its golden samples.
        on_refused: Told each choice that does not work before the next one is tried; of the last, the error
            tells.

    Raises:
        EdgeSdkError: None works; with one choice its own error, with several one that names each. It is a
            :class:`UsageError` where only libraries are missing, as then each of them is.
    """
    refused: list[Refused] = []
    errors: list[EdgeSdkError] = []
    for choice in choices:
        if refused:
            on_refused(refused[-1])
        outcome = _try(bundle, choice, options, golden=golden)
        if not isinstance(outcome, EdgeSdkError):
            return Opened(choice, *outcome, tuple(refused))
        errors.append(outcome)
        refused.append(Refused(choice, outcome.message, outcome.hint))
    raise _none_works(bundle, refused, errors)


def _try(
    bundle: Bundle, choice: Choice, options: EngineOptions, *, golden: bool
) -> tuple[Backend, GoldenResult | None] | EdgeSdkError:
    try:
        backend = open_choice(bundle, choice, options)
        return backend, _passed(bundle, choice, backend) if golden else None
    except _REFUSALS as error:
        _let_go(error)
        return error


def _let_go(error: BaseException) -> None:
    """Have an error keep its lines, and not what was loaded there: the next model may need that memory."""
    reason: BaseException | None = error
    while reason is not None:
        traceback.clear_frames(reason.__traceback__)
        reason = reason.__cause__ or reason.__context__


def _passed(bundle: Bundle, choice: Choice, backend: Backend) -> GoldenResult:
    """The golden samples; where they do not pass, the model is released."""
    from .golden import require_golden  # not needed by who only looks at a recording

    try:
        return require_golden(bundle, choice.variant.name, backend)
    except BaseException:
        backend.close()
        raise


def _none_works(bundle: Bundle, refused: list[Refused], errors: list[EdgeSdkError]) -> EdgeSdkError:
    first = errors[0]
    without_libraries = all(isinstance(error, MissingExtraError) for error in errors)
    if len(errors) == 1 or (without_libraries and len({error.message for error in errors}) == 1):
        return first
    said = ((one.choice.variant.name, (one.choice.backend, one.reason)) for one in refused)
    listed = "\n".join(f"  {names} on {backend}: {reason}" for names, (backend, reason) in told_once(said))
    kind: type[EdgeSdkError] = BackendError
    if without_libraries:
        kind = UsageError  # as each of them
    elif all(isinstance(error, VerificationError) for error in errors):
        kind = VerificationError
    return kind(f"nothing in {bundle.path} works here:\n{listed}", hint=_hints(refused))


def _hints(refused: list[Refused]) -> str | None:
    """What can be done, each once; where that differs, with what it is for."""
    backends: dict[str, dict[str, None]] = {}
    for one in refused:
        if one.hint is not None:
            backends.setdefault(one.hint, {})[one.choice.backend] = None
    if len(backends) <= 1:
        return next(iter(backends), None)
    return "\n".join(f"for {', '.join(names)}: {hint}" for hint, names in backends.items())

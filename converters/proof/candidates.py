"""Each variant is built, loaded in the runtime that will run it and invoked, or left out."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace

from edge_sdk.errors import BackendError, ConversionError, ModelError
from edge_sdk.inference.backend import Backend

from ..quiet import quiet_libraries
from ..report.lint_finding import LintFinding
from ..report.report_file import Latency
from ..spec.conversion_spec import ConversionSpec
from ..variants.made import Made, Materials
from ..variants.onnx_lint import lint_onnx
from ..variants.recipes import Recipe, build_variant
from ..variants.tflite_metadata import add_metadata
from .kernels import Kernels
from .latency import measure_latency
from .trial import GoldenSamples, Trial

__all__ = ["Candidate", "build_candidates", "time_candidate"]


@dataclass(frozen=True)
class Candidate:
    """A variant that could be built and loaded.

    Attributes:
        recipe: How it was made.
        made: What came out.
        kernels: What can run it.
        backend: It, loaded with the kernels that judge it.
        plain: It, loaded with those that a device with this processor has, where these are others.
        lint: Of an ONNX: what TensorRT will not take, or not as it was meant.
    """

    recipe: Recipe
    made: Made
    kernels: Kernels
    backend: Backend
    plain: Backend | None = None
    lint: tuple[LintFinding, ...] = ()

    @property
    def content(self) -> bytes:
        """The file."""
        return self.made.content

    @property
    def plain_name(self) -> str:
        """What a trial calls :attr:`plain`."""
        return f"{self.recipe.name} by default kernels"

    def close(self) -> None:
        """Release what is loaded."""
        self.backend.close()
        if self.plain is not None:
            self.plain.close()


def build_candidates(
    recipes: list[Recipe],
    spec: ConversionSpec,
    materials: Materials,
    trial: Trial,
    threads: int,
    finish: contextlib.ExitStack,
) -> tuple[list[Candidate], dict[str, str]]:
    """Build and load every variant that can be.

    Args:
        recipes: What to try.
        spec: For the metadata of TFLite variants.
        materials: What they are made from.
        trial: Runs each once.
        threads: Threads of one inference.
        finish: Closes the backends later.

    Returns:
        The candidates, and why each of the others was left out.
    """
    candidates: list[Candidate] = []
    left_out: dict[str, str] = {}
    for recipe in recipes:
        materials.progress.step(f"building {recipe.name}")
        tried = _try_build(recipe, spec, materials, trial, threads)
        if isinstance(tried, Candidate):
            finish.callback(tried.close)
            candidates.append(tried)
        else:
            left_out[recipe.name] = tried
    return candidates, left_out


def time_candidate(candidate: Candidate, samples: GoldenSamples, trial: Trial) -> Latency:
    """Time it on the first golden input."""
    backend = candidate.plain or candidate.backend
    return measure_latency(candidate.recipe.name, backend, trial.timed_tensor(backend, samples))


def _try_build(
    recipe: Recipe, spec: ConversionSpec, materials: Materials, trial: Trial, threads: int
) -> Candidate | str:
    """The variant, or why there is none. It is run once: some load and then fail."""
    try:
        made = build_variant(recipe, materials)
        if recipe.build is not None and recipe.format == "tflite":
            made = replace(made, content=add_metadata(made.content, spec, materials.source.input.name))
        kernels = Kernels(made, recipe.format)
        with quiet_libraries(), contextlib.ExitStack() as undo:
            backend = undo.enter_context(kernels.judging(threads).open(recipe.name))
            trial.try_once(backend)
            plain: Backend | None = None
            if kernels.judge_apart:
                plain = undo.enter_context(kernels.default(threads).open(recipe.name))
                trial.try_once(plain)
            undo.pop_all()
    except (ConversionError, BackendError, ModelError) as error:
        return error.message if error.hint is None else f"{error.message}; {error.hint}"
    lint = tuple(lint_onnx(made.content)) if recipe.format == "onnx" else ()
    return Candidate(recipe, made, kernels, backend, plain, lint)

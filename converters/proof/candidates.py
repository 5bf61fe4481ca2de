"""Each variant is built, loaded in the runtime that will run it and invoked, or left out."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace

from edge_sdk.contract.values import Float32Array
from edge_sdk.errors import BackendError, ConversionError, ModelError
from edge_sdk.inference.backend import Backend
from edge_sdk.inference.open import open_backend

from ..quiet import quiet_libraries
from ..report.report_file import Latency
from ..spec.spec_file import ConversionSpec
from ..variants.made import Made, Materials
from ..variants.recipes import Recipe, build_variant
from ..variants.tflite_metadata import add_metadata
from .latency import measure_latency
from .trial import GoldenSamples, Trial

__all__ = ["Candidate", "build_candidates", "golden_answers", "time_candidate"]

_KERNELS = ((True, 1), (False, 1), (False, 2))
"""Reference kernels or not, and threads: what a device may have."""


@dataclass(frozen=True)
class Candidate:
    """A variant that could be built and loaded.

    Attributes:
        recipe: How it was made.
        made: What came out.
        backend: It, loaded with the kernels that a device would use.
    """

    recipe: Recipe
    made: Made
    backend: Backend

    @property
    def content(self) -> bytes:
        """The file."""
        return self.made.content


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
            finish.callback(tried.backend.close)
            candidates.append(tried)
        else:
            left_out[recipe.name] = tried
    return candidates, left_out


def golden_answers(candidate: Candidate, samples: GoldenSamples, trial: Trial) -> list[Float32Array]:
    """Answers to the golden inputs under several sets of kernels, the reference first.

    Raises:
        BackendError: It does not run, or gives no finite numbers.
    """
    recipe = candidate.recipe
    answers = []
    for reference, threads in _KERNELS:
        with (
            quiet_libraries(),
            open_backend(
                candidate.content,
                recipe.format,
                threads=threads,
                reference_kernels=reference,
                name=recipe.name,
            ) as backend,
        ):
            answers.append(trial.answer_golden(backend, samples))
    return answers


def time_candidate(candidate: Candidate, samples: GoldenSamples, trial: Trial) -> Latency:
    """Time it on the first golden input."""
    tensor = trial.timed_tensor(candidate.backend, samples)
    return measure_latency(candidate.recipe.name, candidate.backend, tensor)


def _try_build(
    recipe: Recipe, spec: ConversionSpec, materials: Materials, trial: Trial, threads: int
) -> Candidate | str:
    """The variant, or why there is none. It is run once: some load and then fail."""
    try:
        made = build_variant(recipe, materials)
        if recipe.build is not None and recipe.format == "tflite":
            made = replace(made, content=add_metadata(made.content, spec, materials.source.input.name))
        with quiet_libraries(), contextlib.ExitStack() as undo:
            backend = open_backend(made.content, recipe.format, threads=threads, name=recipe.name)
            undo.callback(backend.close)
            trial.try_once(backend)
            undo.pop_all()
    except (ConversionError, BackendError, ModelError) as error:
        return error.message
    return Candidate(recipe, made, backend)

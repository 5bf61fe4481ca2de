"""Each variant is built, loaded in the runtime that will run it, invoked and scored, or left out."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace

import numpy as np
from msgspec import structs

from edge_sdk.console.progress import Progress
from edge_sdk.contract.manifest import AudioInput, ClassesOutput
from edge_sdk.contract.values import Float32Array
from edge_sdk.errors import BackendError, ConversionError, ModelError
from edge_sdk.inference.backend import Backend
from edge_sdk.inference.open import open_backend
from edge_sdk.inference.scorer import AudioScorer

from ..quiet import quiet_libraries
from ..report.report_file import Latency
from ..sources.source_model import SourceModel
from ..spec.spec_file import ConversionSpec
from ..variants.made import Calibration, Made, Materials
from ..variants.recipes import Recipe, build_variant
from ..variants.tflite_metadata import add_metadata
from .golden import GoldenSamples, measured_bound
from .latency import measure_latency

__all__ = ["Candidate", "ModelUse", "build_candidates", "time_candidate", "try_golden"]


@dataclass(frozen=True, slots=True)
class ModelUse:
    """How a model in the bundle is fed and read.

    Attributes:
        audio: The manifest's input.
        output: The manifest's output.
        label_ids: The manifest's labels.
        threads: Threads that an inference may use while it is proved.
    """

    audio: AudioInput
    output: ClassesOutput
    label_ids: tuple[str, ...]
    threads: int

    @classmethod
    def of(cls, spec: ConversionSpec, source: SourceModel, threads: int) -> ModelUse:
        """What the manifest will say: made variants have one input and one output, without names."""
        audio, output = spec.audio, spec.classes
        if source.function is not None:
            audio, output = structs.replace(audio, name=""), structs.replace(output, name="")
        return cls(audio, output, spec.label_ids, threads)

    def scorer(self, backend: Backend) -> AudioScorer:
        """A scorer as a device has it."""
        return AudioScorer(self.audio, self.output, self.label_ids, backend)


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
    source: SourceModel,
    calibration: Calibration | None,
    use: ModelUse,
    finish: contextlib.ExitStack,
    progress: Progress,
) -> tuple[list[Candidate], dict[str, str]]:
    """Build and load every variant that can be.

    Args:
        recipes: What to try.
        spec: For the metadata of TFLite variants.
        source: The trained model.
        calibration: Tensors for integer variants.
        use: How the model is fed.
        finish: Closes the backends later.
        progress: Told before each.

    Returns:
        The candidates, and why each of the others was left out.
    """
    candidates: list[Candidate] = []
    left_out: dict[str, str] = {}
    materials = Materials(source, calibration, progress)
    for recipe in recipes:
        progress.step(f"building {recipe.name}")
        tried = _try_build(recipe, spec, materials, use)
        if isinstance(tried, Candidate):
            finish.callback(tried.backend.close)
            candidates.append(tried)
        else:
            left_out[recipe.name] = tried
    return candidates, left_out


def try_golden(candidate: Candidate, samples: GoldenSamples, use: ModelUse) -> tuple[Float32Array, float]:
    """Answers to the golden inputs under reference kernels, and the bound over other kernel sets.

    Raises:
        BackendError: It does not run, or gives no finite numbers.
    """
    recipe = candidate.recipe
    answers = []
    for reference, threads in ((True, 1), (False, 1), (False, 2)):
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
            scorer = use.scorer(backend)
            answers.append(np.stack([scorer.score_window(window) for window in samples.inputs]))
    return answers[0], measured_bound(recipe.precision, answers)


def time_candidate(candidate: Candidate, samples: GoldenSamples, use: ModelUse) -> Latency:
    """Time it on the first golden input."""
    tensor = use.scorer(candidate.backend).tensor_for_window(samples.inputs[0])
    return measure_latency(candidate.recipe.name, candidate.backend, tensor)


def _try_build(recipe: Recipe, spec: ConversionSpec, materials: Materials, use: ModelUse) -> Candidate | str:
    """The variant, or why there is none. It is run once: some load and then fail."""
    try:
        made = build_variant(recipe, materials)
        if recipe.build is not None and recipe.format == "tflite":
            made = replace(made, content=add_metadata(made.content, spec, materials.source.input.name))
        with quiet_libraries():
            backend = open_backend(made.content, recipe.format, threads=use.threads, name=recipe.name)
            use.scorer(backend).score_window(np.zeros(use.audio.window_samples, dtype=np.float32))
    except (ConversionError, BackendError, ModelError) as error:
        return error.message
    return Candidate(recipe, made, backend)

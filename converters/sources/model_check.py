"""What can be read from a model is held against the spec, before any work starts."""

from __future__ import annotations

from collections.abc import Sequence

from edge_sdk.contract.audio import LogMel, feature_shape
from edge_sdk.contract.values import Array, TensorSpec
from edge_sdk.errors import ModelError, SpecError
from edge_sdk.inference.backend import describe_tensor
from edge_sdk.inference.tensor_fit import fit_shape

from ..spec.audio_table import windows_with_frames
from ..spec.conversion_spec import ConversionSpec
from .source_model import SourceModel

__all__ = ["check_outputs", "check_score_range", "fit_window"]

_ROUNDING = 1e-3
_IMAGENET_WITH_BACKGROUND = 1001


def fit_window(spec: ConversionSpec, model_input: TensorSpec) -> tuple[int, ...]:
    """The shape of one window's tensor, batch of 1.

    Raises:
        SpecError: The spec's windows do not fit; the message says what the model wants.
    """
    if model_input.dtype != "float32":
        raise SpecError(
            f"the model takes {describe_tensor(model_input)}; only float32 input is supported",
            hint="convert it with float32 input and output",
        )
    features = feature_shape(spec.audio.front_end, spec.audio.window_samples)
    try:
        return fit_shape(model_input, features)
    except ModelError as error:
        raise SpecError(
            f"{error.message} for a window of {_window(spec)}", hint=_wanted(spec, model_input) or error.hint
        ) from error


def check_outputs(spec: ConversionSpec, source: SourceModel) -> None:
    """Compare outputs with labels, and the graph's last operation with the activation.

    Raises:
        SpecError: They contradict each other.
    """
    count = 1
    for extent in source.output.shape:
        count *= extent or 1
    if count != len(spec.labels):
        raise SpecError(
            f"{source.name} has {count} outputs, the spec has {len(spec.labels)} labels",
            hint=_labels_hint(count, len(spec.labels)),
        )
    _check_activation(spec, source)


def _labels_hint(outputs: int, labels: int) -> str:
    hint = "list every output of the model as a label, in the model's order"
    if outputs != labels + 1:
        return hint
    hint += "; models with one more often begin with 'background'"
    return f"{hint}: label_set = 'imagenet_background'" if outputs == _IMAGENET_WITH_BACKGROUND else hint


def check_score_range(spec: ConversionSpec, source: SourceModel, tensors: Sequence[Array]) -> None:
    """Without an activation still to come, what the model gives must be scores.

    Args:
        spec: Which activation is still to be applied.
        source: The model.
        tensors: What it is fed for a few samples.

    Raises:
        SpecError: An output lies outside 0..1.
    """
    if spec.classes.activation != "none":
        return
    for tensor in tensors:
        answer = source.run(tensor)
        low, high = float(answer.min()), float(answer.max())
        if low < -_ROUNDING or high > 1 + _ROUNDING:
            raise SpecError(
                f"{source.name} gives values from {low:.3g} to {high:.3g}, which are no scores of 0..1",
                hint="set activation = 'sigmoid' or 'softmax' under [model]",
            )


def _check_activation(spec: ConversionSpec, source: SourceModel) -> None:
    ends_in, wanted = source.final_activation, spec.classes.activation
    if ends_in == "other":
        return
    if wanted != "none":
        raise SpecError(
            f"{source.name} ends in a {ends_in} already; the spec would apply {wanted} on top of it",
            hint="set activation = 'none' under [model]",
        )
    if ends_in == "softmax" and not spec.classes.exclusive:
        raise SpecError(
            f"{source.name} ends in a softmax, so one label wins, but the spec says exclusive = false",
            hint="set exclusive = true under [model]",
        )


def _window(spec: ConversionSpec) -> str:
    samples = spec.audio.window_samples
    return f"{samples} samples ({samples / spec.audio.sample_rate_hz:g} s)"


def _wanted(spec: ConversionSpec, model_input: TensorSpec) -> str | None:
    """Which window the model's input asks for, if the front end is right in all else."""
    front_end, rate = spec.audio.front_end, spec.audio.sample_rate_hz
    extents = [extent for extent in model_input.shape if extent not in (None, 1)]
    if not isinstance(front_end, LogMel):
        if len(extents) == 1:
            return f"the model wants window_samples = {extents[0]} ({extents[0] / rate:g} s)"
        return "the model wants a spectrogram: add [audio.log_mel]" if len(extents) == 2 else None
    if len(extents) == 1:
        return f"the model wants {extents[0]} values: a waveform? then leave out [audio.log_mel]"
    frames_axis, mels_axis = (0, 1) if front_end.layout == "time_mel" else (1, 0)
    if len(extents) != 2 or extents[mels_axis] != front_end.n_mels:
        return None
    lengths = windows_with_frames(front_end, extents[frames_axis] or 0)
    if not lengths:
        return None
    return (
        f"the model wants {extents[frames_axis]} frames: window_samples from {lengths[0]} "
        f"to {lengths[-1]} ({lengths[0] / rate:g} to {lengths[-1] / rate:g} s)"
    )

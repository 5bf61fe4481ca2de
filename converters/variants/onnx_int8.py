"""One ONNX model in int8, as often as wanted, in the form that TensorRT takes: symmetric Q/DQ pairs.

How an activation's range follows from its values is chosen for each model among a few rules, by the error of
its raw output on calibration tensors that the ranges were not measured on: these are measured in two halves,
each is judged on the other, and what is made in the end has the ranges of both. Of a single tensor there is
no other half, and the widest range is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial

from edge_sdk.contract.manifest import ModelFormat
from edge_sdk.contract.values import Array
from edge_sdk.errors import ConversionError

from ..data.even_choice import spread
from .kept_samples import MOST_SAMPLES, ThinnedSamples, half_of
from .made import Calibration
from .onnx_equalized import equalize_channels
from .onnx_graph import OnnxGraph
from .onnx_layers import place
from .onnx_operations import read_onnx_operations
from .onnx_pairs import PairInserter
from .onnx_prepared import PreparedOnnx
from .onnx_range_rules import RANGE_RULES, WIDEST, RangeRule
from .onnx_ranges import TensorRange, measure_in_groups
from .output_error import Half, HeldOutError
from .tflite_operations import Operation

__all__ = ["OnnxQuantizer"]

_JUDGES = 16
"""Calibration tensors that the rules for ranges are judged on."""


class OnnxQuantizer:
    """A model whose ranges have been measured.

    Args:
        prepared: What to convert.
        calibration: Tensors to measure ranges on; gone through once more where channels are equalized.
        heads_in_float: Keep its last layers in float, as a detector's must be.
        rule: How ranges of activations follow from their values; None to choose.
        correct_biases: Take what rounded weights add to the mean of a layer's output out of its bias.
        equalize: Give the channels between two layers one range where that costs nothing.

    Raises:
        ConversionError: There is nothing in it that could be int8, no calibration tensor, or a value in it
            is not finite.
        BackendError: The model does not run.
    """

    mixed_variant = "onnx-mixed"
    format: ModelFormat = "onnx"

    def __init__(
        self,
        prepared: PreparedOnnx,
        calibration: Calibration,
        *,
        heads_in_float: bool,
        rule: RangeRule | None = None,
        correct_biases: bool = True,
        equalize: bool = True,
    ) -> None:
        self._given_rule = rule
        self._correct_biases = correct_biases
        self._prepared = prepared = equalize_channels(prepared, calibration) if equalize else prepared
        self._heads_in_float = heads_in_float
        self._samples = ThinnedSamples(MOST_SAMPLES)
        model = prepared.load()
        widest = place(OnnxGraph(model), heads_in_float=False)
        if not widest.layers:
            raise ConversionError("no layer of the model can be int8")

        def kept() -> Iterator[tuple[int, Array]]:
            for index, tensor in enumerate(calibration()):
                self._samples.add(tensor)
                yield half_of(index), tensor

        names = widest.activations
        self._in_halves = first, second = measure_in_groups(
            model, prepared.input_name, names, kept(), n_groups=2
        )
        if not self._samples.kept:
            raise ConversionError("there are no calibration tensors to measure ranges on")
        self._ranges = {name: first[name].merged(second[name]) for name in names}

    @property
    def float_model(self) -> bytes:
        """The model in float32, simplified."""
        return self._prepared.content

    @property
    def operations(self) -> list[Operation]:
        """Those of :attr:`float_model`, by whose names they are kept in float."""
        return self.read(self._prepared.content)

    @property
    def integer_layers(self) -> list[str]:
        """The layers that are integer where none is named to be kept in float, by name."""
        graph = OnnxGraph(self._prepared.load())
        return [node.name for node in place(graph, heads_in_float=self._heads_in_float).layers]

    @cached_property
    def rule(self) -> RangeRule:
        """How ranges of activations follow from their values: as given, or what errs least where held out.

        Raises:
            ConversionError, BackendError: As for :meth:`quantize`.
        """
        if self._given_rule is not None:
            return self._given_rule
        if not self._has_held_out:  # on the tensor that it was measured on no range cuts anything off
            return WIDEST
        judges = [spread(samples, _JUDGES // 2) for _, samples in self._parts]
        error = HeldOutError(self.float_model, self.format, judges, "onnx-int8")
        return min(
            RANGE_RULES,
            key=lambda rule: error.of(self._quantize(ranges, rule, ()) for ranges, _ in self._parts),
        )

    @property
    def note(self) -> str:
        """What a person should know of its ranges; empty where there is nothing."""
        if self._has_held_out or self._given_rule is not None:
            return ""
        return f"its ranges are unjudged, of a single calibration tensor: {WIDEST.name}"

    @property
    def judged(self) -> str:
        """On what, and by which models, :attr:`halves` tell errors."""
        if not self._has_held_out:
            return "on the calibration tensor that its ranges are of"
        n = len(self._samples.kept)
        return f"on {n} calibration tensors, each half of them by a model with the ranges of the other half"

    @property
    def halves(self) -> list[Half]:
        """The model by the ranges of each half of the calibration tensors, and some tensors of the other.

        Raises:
            ConversionError, BackendError: As for :meth:`quantize`.
        """
        return [Half(partial(self._quantize, ranges, self.rule), samples) for ranges, samples in self._parts]

    @property
    def _parts(self) -> list[tuple[Mapping[str, TensorRange], list[Array]]]:
        """The ranges of each half, and what was kept of the other; of a single tensor its own."""
        kept = self._samples.kept
        if not self._has_held_out:
            return [(self._ranges, kept)]
        held_out = [
            [tensor for index, tensor in enumerate(kept) if half_of(index) != half] for half in (0, 1)
        ]
        return list(zip(self._in_halves, held_out, strict=True))

    @property
    def _has_held_out(self) -> bool:
        return len(self._samples.kept) > 1

    def read(self, content: bytes) -> list[Operation]:
        """The operations of a model that was made."""
        return read_onnx_operations(content)

    def samples(self) -> Sequence[Array]:
        """Some of the calibration tensors, spread evenly over them."""
        return self._samples.kept

    def quantize(self, float_names: Sequence[str] = ()) -> bytes:
        """The ``.onnx`` in int8; input and outputs in float32.

        Args:
            float_names: Operations of :attr:`float_model` to keep in float.

        Raises:
            ConversionError: Nothing is left that could be int8.
            BackendError: It was tried while its ranges were chosen, and does not run.
        """
        return self._quantize(self._ranges, self.rule, float_names)

    def _quantize(
        self, ranges: Mapping[str, TensorRange], rule: RangeRule, float_names: Sequence[str]
    ) -> bytes:
        model = self._prepared.load()
        graph = OnnxGraph(model)
        placement = place(graph, heads_in_float=self._heads_in_float, float_names=float_names)
        if not placement.layers:
            raise ConversionError("all layers of the model stay in float, as none comes before its last ones")
        PairInserter(model, graph, ranges, rule, correct_biases=self._correct_biases).insert(placement)
        return self._prepared.finish(model)

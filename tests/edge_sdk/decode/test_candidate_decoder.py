from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from slow_boxes import Found, assert_same_boxes, centered, slow_sigmoid, slow_softmax

from edge_sdk.contract.detector import (
    Axis,
    CandidateBoxes,
    DirectCoding,
    DistanceCoding,
    Grid,
    OffsetCoding,
    Part,
    Scale,
    Suppression,
)
from edge_sdk.contract.detector_checks import check_detector
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.values import Array, TensorSpec
from edge_sdk.decode.detections import RawDetections, detection_decoder
from edge_sdk.errors import BackendError, ModelError

IMAGE = ImageInput(width=64, height=48)
EVERYTHING = Suppression(method="none")
ROWS: list[Axis] = ["batch", "candidates", "values"]
SCALE = Scale(box=Part(axes=ROWS), objectness=Part(axes=ROWS, start=4), classes=Part(axes=ROWS, start=5))
OUTPUT = CandidateBoxes(scales=[SCALE], coding=DirectCoding(), suppression=EVERYTHING)


ACTIVATIONS: dict[str, Callable[[list[float]], list[float]]] = {
    "none": list,
    "sigmoid": lambda logits: [slow_sigmoid(one) for one in logits],
    "softmax": slow_softmax,
}


def candidates(*scores: tuple[float, ...]) -> dict[str, Array]:
    """One box of 10 x 10 for each objectness and its classes, side by side."""
    rows = [(20 * n, 0, 20 * n + 10, 10, *row) for n, row in enumerate(scores)]
    return {"output": np.array([rows], np.float32)}


def decode(output: CandidateBoxes, outputs: dict[str, Array], n_labels: int = 2) -> RawDetections:
    check_detector(output, IMAGE)
    return detection_decoder(output, IMAGE, n_labels)(outputs)


@pytest.mark.parametrize("several", [True, False])
@pytest.mark.parametrize("activation", ["none", "sigmoid", "softmax"])
@pytest.mark.parametrize("background", ["none", "first", "last"])
@pytest.mark.parametrize("with_objectness", [True, False])
def test_scores_are_what_the_formula_says(
    activation: str, background: str, *, several: bool, with_objectness: bool
) -> None:
    rng = np.random.default_rng(7)
    labels, n = 3, 200
    columns = labels + (background != "none")
    numbers = rng.normal(0, 2, (1, n, 5 + columns)).astype(np.float32)
    if activation == "none":
        numbers[..., 5:] = rng.uniform(0, 1, (1, n, columns))
    numbers[..., 4] = rng.uniform(0, 1, (1, n))
    numbers[..., :4] = (0, 0, 10, 10)
    expected: list[tuple[float, int]] = []
    for row in numbers[0].tolist():
        scores = ACTIVATIONS[activation](row[5:])
        scores = {"none": scores, "first": scores[1:], "last": scores[:-1]}[background]
        factor = row[4] ** 0.6 if with_objectness else 1.0
        of_candidate = [(factor * score**0.4, label) for label, score in enumerate(scores)]
        expected += of_candidate if several else [max(of_candidate)]
    expected = sorted((pair for pair in expected if pair[0] >= 0.3), reverse=True)
    scale = SCALE if with_objectness else structs.replace(SCALE, objectness=None)
    output = structs.replace(
        OUTPUT,
        scales=[scale],
        class_activation=activation,
        background=background,
        several_classes=several,
        objectness_power=0.6,
        class_power=0.4,
        least_score=0.3,
        most=10_000,
    )
    found = decode(output, {"output": numbers}, labels)
    assert len(expected) > 20
    np.testing.assert_allclose(found.scores, [score for score, _ in expected], rtol=1e-5)
    assert found.labels.tolist() == [label for _, label in expected]


def test_a_score_at_the_threshold_counts_and_one_below_does_not() -> None:
    least = structs.replace(OUTPUT, least_score=0.5)
    found = decode(least, candidates((1.0, 0.5, 0), (0.5, 1.0, 0), (1.0, 0.49999997, 0)))
    assert found.scores.tolist() == [0.5, 0.5]


def test_threshold_of_0_lets_everything_through() -> None:
    sigmoid = structs.replace(
        OUTPUT, least_score=0.0, class_activation="sigmoid", objectness_activation="sigmoid"
    )
    assert len(decode(sigmoid, candidates((-90, -90, -90), (0, 0, 0))).scores) == 2


def test_logits_however_large_overflow_nothing() -> None:
    sigmoid = structs.replace(OUTPUT, class_activation="sigmoid", objectness_activation="sigmoid")
    found = decode(sigmoid, candidates((1e30, 1e30, -1e30), (-1e30, 1e30, 0)))
    assert found.scores.tolist() == [1.0]
    scale = structs.replace(SCALE, objectness=None, classes=Part(axes=ROWS, start=4))
    softmax = structs.replace(OUTPUT, scales=[scale], class_activation="softmax")
    assert decode(softmax, candidates((1e30, -1e30)), 2).scores.tolist() == [1.0]


def test_no_more_candidates_than_allowed_are_compared() -> None:
    crowd = candidates(*[(1.0, 0.1 + 0.01 * n, 0) for n in range(50)])
    found = decode(structs.replace(OUTPUT, most_candidates=5), crowd)
    np.testing.assert_allclose(found.scores, [0.59, 0.58, 0.57, 0.56, 0.55], rtol=1e-5)


@given(st.permutations(["rows", "columns", "anchors", "values"]), st.integers(0, 2), st.data())
def test_any_order_of_axes_gives_the_same_boxes(order: list[Axis], batch: int, data: st.DataObject) -> None:
    rng = np.random.default_rng(1)
    numbers = rng.normal(0, 1, (3, 4, 2, 7)).astype(np.float32)  # rows, columns, anchors, values
    names: list[Axis] = ["rows", "columns", "anchors", "values"]
    grid = Grid(rows=3, columns=4, anchors=[(8, 16), (24, 12)])
    expected = []
    for row, column, anchor in np.ndindex(3, 4, 2):
        x, y, width, height, objectness, *classes = numbers[row, column, anchor].tolist()
        scores = [slow_sigmoid(objectness) * slow_sigmoid(one) for one in classes]
        label = scores.index(max(scores))
        size = (math.exp(width) * grid.anchors[anchor][0], math.exp(height) * grid.anchors[anchor][1])
        center = ((column + slow_sigmoid(x)) * 16, (row + slow_sigmoid(y)) * 16)
        if scores[label] >= 0.2:
            expected.append(Found(centered(*center, *size), scores[label], label))
    axes = list(order)
    tensor = numbers.transpose([names.index(axis) for axis in order])
    together = axes.index("values") - axes.index("anchors") == 1
    if together and data.draw(st.booleans()):
        at = axes.index("anchors")
        axes[at : at + 2] = ["anchors_values"]
        tensor = tensor.reshape(*tensor.shape[:at], -1, *tensor.shape[at + 2 :])
    tensor = tensor.reshape(*[1] * batch, *tensor.shape)
    axes = [*["batch"] * batch, *axes]  # type: ignore[list-item]
    scale = Scale(
        box=Part(axes=axes),
        objectness=Part(axes=axes, start=4),
        classes=Part(axes=axes, start=5),
        grids=[grid],
    )
    output = CandidateBoxes(
        scales=[scale],
        coding=OffsetCoding(center_activation="sigmoid", size_unit="anchor"),
        class_activation="sigmoid",
        objectness_activation="sigmoid",
        least_score=0.2,
        suppression=EVERYTHING,
    )
    assert_same_boxes(decode(output, {"output": tensor}), expected)


def specs(*shape: int | None, name: str = "output") -> list[TensorSpec]:
    return [TensorSpec(name, shape, "float32")]


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 100, 6), "classes of scale 0 needs 2 numbers from 5 on in the model's output, but there are 1"),
        ((1, 100, 8), "needs 2 numbers from 5 on in the model's output, but there are 3"),
        ((2, 100, 7), r"as \[batch 1, candidates, values\], but that has the shape \[2, 100, 7\]"),
        ((100, 7), r"but that has the shape \[100, 7\]"),
        ((1, 100, 7, 1), r"but that has the shape \[1, 100, 7, 1\]"),
    ],
)
def test_shape_that_does_not_fit_is_refused_before_and_while_running(
    shape: tuple[int, ...], message: str
) -> None:
    decoder = detection_decoder(OUTPUT, IMAGE, 2)
    with pytest.raises(ModelError, match=message):
        decoder.check(specs(*shape))
    with pytest.raises(ModelError, match=message):
        decoder({"output": np.zeros(shape, np.float32)})


def test_fitting_and_open_shapes_are_accepted() -> None:
    decoder = detection_decoder(OUTPUT, IMAGE, 2)
    decoder.check(specs(1, 100, 7))
    decoder.check(specs(None, 100, 7))
    decoder.check(specs(1, None, 7))
    with pytest.raises(ModelError, match="needs 2 numbers"):
        decoder.check(specs(None, 100, 9))


def test_numbers_that_are_not_read_must_be_announced() -> None:
    classes = Part(axes=ROWS, start=5, unread=32)
    masks = structs.replace(OUTPUT, scales=[structs.replace(SCALE, classes=classes)])
    detection_decoder(masks, IMAGE, 2).check(specs(1, 100, 39))
    with pytest.raises(ModelError, match="needs 2 and 32 unread numbers"):
        detection_decoder(masks, IMAGE, 2).check(specs(1, 100, 38))


def test_transposed_grid_is_refused_though_it_has_as_many_cells() -> None:
    axes: list[Axis] = ["batch", "values", "rows", "columns"]
    scale = Scale(box=Part(axes=axes), classes=Part(axes=axes, start=4), grids=[Grid(rows=3, columns=4)])
    output = CandidateBoxes(scales=[scale], coding=OffsetCoding())
    detection_decoder(output, IMAGE, 2).check(specs(1, 6, 3, 4))
    with pytest.raises(ModelError, match=r"rows 3, columns 4\], but that has the shape \[1, 6, 4, 3\]"):
        detection_decoder(output, IMAGE, 2).check(specs(1, 6, 4, 3))


def test_outputs_that_do_not_belong_together_are_refused() -> None:
    scale = Scale(box=Part(tensor="boxes", axes=ROWS), classes=Part(tensor="classes", axes=ROWS))
    output = CandidateBoxes(scales=[scale], coding=DirectCoding())
    outputs = [*specs(1, 100, 4, name="boxes"), *specs(1, 99, 2, name="classes")]
    with pytest.raises(ModelError, match="the model gives 100 of box, 99 of classes"):
        detection_decoder(output, IMAGE, 2).check(outputs)
    with pytest.raises(ModelError, match="no output 'classes'"):
        detection_decoder(output, IMAGE, 2).check(outputs[:1])


@pytest.mark.parametrize("place", [0, 4, 5])
@pytest.mark.parametrize("fault", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_an_error_and_never_no_box(place: int, fault: float) -> None:
    outputs = candidates(*itertools.repeat((0.0, 0.0, 0.0), 50))
    outputs["output"][0, 30, place] = fault
    with pytest.raises(BackendError, match="not a finite number"):
        decode(OUTPUT, outputs)


@pytest.mark.parametrize("scores", [(9.0, 0.5, 0.5), (0.9, 4.0, 0.0), (0.9, 0.5, -3.0)])
def test_logits_where_scores_are_due_are_an_error(scores: tuple[float, ...]) -> None:
    with pytest.raises(BackendError, match="they may be logits"):
        decode(OUTPUT, candidates(scores))


def test_boxes_without_area_are_left_out_and_boxes_without_end_stay_finite() -> None:
    outputs = candidates((1, 1, 0), (1, 1, 0), (1, 1, 0))
    outputs["output"][0, 0, :4] = (5, 5, 5, 9)
    outputs["output"][0, 1, :4] = (-1e38, 0, 1e38, 3e38)
    found = decode(OUTPUT, outputs)
    assert len(found.scores) == 2
    assert np.isfinite(found.boxes).all()
    exponential = structs.replace(
        OUTPUT, coding=OffsetCoding(), scales=[structs.replace(SCALE, grids=[Grid(rows=1, columns=3)])]
    )
    outputs["output"][..., 2:4] = 1e30
    assert np.isfinite(decode(exponential, outputs).boxes).all()


def test_decoder_follows_a_model_whose_number_of_candidates_changes() -> None:
    decoder = detection_decoder(OUTPUT, IMAGE, 2)
    one = candidates((1.0, 1.0, 0.0))["output"]
    counts = [len(decoder({"output": np.repeat(one, n, axis=1)}).scores) for n in (3, 0, 5, 3)]
    assert counts == [3, 0, 5, 3]


@pytest.mark.parametrize("peaks", [0, 3])
def test_one_number_needs_no_axis_of_values(peaks: int) -> None:
    """As detectors of one thing give their heatmap or their scores: [1, rows, columns], [1, n]."""
    heat = np.random.default_rng(5).uniform(0, 1, (1, 6, 8)).astype(np.float32)
    numbers = np.random.default_rng(6).uniform(1, 3, (1, 4, 6, 8)).astype(np.float32)
    nchw: list[Axis] = ["batch", "values", "rows", "columns"]

    def found(classes: list[Axis], scores: Array) -> RawDetections:
        scale = Scale(
            box=Part(tensor="box", axes=nchw),
            classes=Part(tensor="heat", axes=classes),
            grids=[Grid(rows=6, columns=8)],
        )
        output = CandidateBoxes(
            scales=[scale], coding=DistanceCoding(), least_score=0.5, peaks=peaks, suppression=EVERYTHING
        )
        return decode(output, {"box": numbers, "heat": scores}, n_labels=1)

    bare, whole = found(["batch", "rows", "columns"], heat), found(nchw, heat[:, None])
    assert len(bare.scores)
    for one, other in zip(bare, whole, strict=True):
        np.testing.assert_array_equal(one, other)


def test_several_classes_need_an_axis_of_values() -> None:
    scale = Scale(
        box=Part(tensor="box", axes=ROWS), classes=Part(tensor="classes", axes=["batch", "candidates"])
    )
    output = CandidateBoxes(scales=[scale], coding=DirectCoding())
    with pytest.raises(ModelError, match=r"classes of scale 0 needs 2 numbers .* there are 1"):
        decode(output, {"box": np.zeros((1, 9, 4), np.float32), "classes": np.zeros((1, 9), np.float32)})

"""Golden pictures pass where they were made, and fail for every mistake that gives plausible answers."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from example_contract import npy
from msgspec import structs
from tiny_bundle import TinyBundle
from tiny_models import tiny_onnx
from tiny_pictures import (
    COLORS,
    THINGS,
    color_bundle,
    color_weights,
    thing_bundle,
    thing_output,
)

from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.manifest import ClassesOutput, FrameRule
from edge_sdk.contract.manifest_document import Output
from edge_sdk.contract.values import Float32Array
from edge_sdk.errors import BundleError
from edge_sdk.inference.golden import GoldenResult, run_golden
from edge_sdk.inference.open import open_backend


def golden(made: TinyBundle, model: bytes | None = None) -> GoldenResult:
    variant = made.manifest.variants[0]
    with open_backend(made.members[variant.file] if model is None else model, variant.format) as backend:
        return run_golden(made.bundle(), variant.name, backend)


def changed(made: TinyBundle, image: ImageInput | None = None, output: Output | None = None) -> TinyBundle:
    manifest = made.manifest
    return replace(
        made,
        manifest=structs.replace(
            manifest,
            inputs=[manifest.image if image is None else image],
            outputs=[manifest.outputs[0] if output is None else output],
        ),
    )


@pytest.mark.parametrize("made", [color_bundle(), color_bundle("tflite"), thing_bundle()])
def test_golden_pictures_pass_where_they_were_made(made: TinyBundle) -> None:
    result = golden(made)
    assert result.passed
    assert result.max_abs_difference <= 1e-5
    assert result.lowest_iou in (None, pytest.approx(1.0))


@pytest.mark.parametrize("made", [color_bundle(), thing_bundle()])
@pytest.mark.parametrize(
    "mistake",
    [{"color": "bgr"}, {"std": (300.0,)}, {"mean": (1.0,)}],
    ids=["swapped channels", "other scaling", "other mean"],
)
def test_golden_pictures_fail_for_another_preparation(made: TinyBundle, mistake: dict[str, object]) -> None:
    assert not golden(changed(made, structs.replace(made.manifest.image, **mistake))).passed


def test_golden_pictures_fail_for_exchanged_labels() -> None:
    weights, bias = color_weights()
    model = tiny_onnx(np.ascontiguousarray(weights[[1, 0, 2]]), bias, (1, 8, 8, 3))
    assert not golden(color_bundle(), model).passed


def without_rules(made: TinyBundle) -> TinyBundle:
    return replace(made, manifest=structs.replace(made.manifest, frame_rules={}))


def expecting(made: TinyBundle, rows: Float32Array, bound: float) -> TinyBundle:
    """The same with other golden answers, within which a device may be off by as much."""
    (variant,) = made.manifest.variants
    wanted = structs.replace(variant.golden, bound=bound)
    manifest = structs.replace(made.manifest, variants=[structs.replace(variant, golden=wanted)])
    return replace(made, manifest=manifest, members={**made.members, variant.golden.file: npy(rows)})


def golden_array(made: TinyBundle) -> Float32Array:
    rows: Float32Array = np.load(io.BytesIO(made.members[made.manifest.variants[0].golden.file]))
    return rows


def test_another_highest_label_fails_where_the_highest_counts() -> None:
    """Each score is within the bound; but the one that should lead by more than that does not."""
    made = without_rules(changed(color_bundle(), output=ClassesOutput(exclusive=True)))
    scores = golden_array(made)
    first, second = (int(place) for place in np.argsort(-scores[3])[:2])  # a picture of no clear colour
    middle = float(scores[3, first] + scores[3, second]) / 2
    scores[3, first], scores[3, second] = middle - 0.05, middle + 0.05
    near = golden(expecting(made, scores, 0.11))
    assert near.passed
    assert near.max_abs_difference < 0.09
    far = golden(expecting(made, scores, 0.09))
    assert far.max_abs_difference < far.bound
    (flip,) = far.flipped
    assert (flip.sample, flip.label_id, flip.instead) == (3, COLORS[second], COLORS[first])
    assert f"'{COLORS[first]}' is the highest here" in far.difference


def test_a_moved_box_is_told_with_its_overlap() -> None:
    """Scores are as they should be: nothing is off but the place."""
    made = thing_bundle()
    rows = golden_array(made)
    rows[0, 3:] += 3.0
    result = golden(expecting(made, rows, 1e-3))
    first = result.difference.splitlines()[0]
    assert not result.passed
    assert result.max_abs_difference <= 1e-3
    assert first.startswith("decision differs at sample 0, label 'red': the box of 1.0000 is not there")
    assert "the best of that label overlaps it by 0.243" in first
    assert "must overlap the expected ones by 0.9" in first
    assert "off by" not in first


def test_a_box_near_its_threshold_may_go_but_not_lie_elsewhere() -> None:
    made = thing_bundle()
    rows = golden_array(made)
    score = float(rows[0, 2])
    rules = {label_id: FrameRule(threshold=score - 0.01) for label_id in THINGS}
    near = replace(made, manifest=structs.replace(made.manifest, frame_rules=rules))
    rows[0, 3:] = [0.0, 0.0, 4.0, 4.0]
    moved = golden(expecting(near, rows, 0.02))
    assert [(flip.sample, flip.label_id, flip.best_iou) for flip in moved.flipped] == [(0, "red", 0.0)]
    gone = np.array([[1, THINGS.index("red"), score, 40, 40, 48, 48]], dtype=np.float32)
    assert golden(expecting(near, np.concatenate([golden_array(made), gone]), 0.02)).passed


def test_boxes_below_their_threshold_are_whatever_suppression_leaves() -> None:
    made = thing_bundle()
    rows = golden_array(made)
    weak = rows[:1].copy()
    weak[0, 2:] = [0.35, 24.0, 8.0, 32.0, 16.0]  # there is nothing of its label
    assert golden(expecting(made, np.concatenate([rows, weak]), 1e-3)).passed
    weak[0, 2] = 0.51
    assert not golden(expecting(made, np.concatenate([rows, weak]), 1e-3)).passed


def test_boxes_of_a_detector_without_rules_count_from_the_default_threshold() -> None:
    made, output = without_rules(thing_bundle()), thing_output()
    assert golden(made).passed
    moved = structs.replace(output, coding=structs.replace(output.coding, center_offset=0.7))
    assert len(golden(changed(made, output=moved)).flipped) == 6


def test_golden_boxes_fail_where_boxes_are_moved_lost_or_too_many() -> None:
    made, output = thing_bundle(), thing_output()
    moved = structs.replace(output, coding=structs.replace(output.coding, center_offset=0.7))
    assert len(golden(changed(made, output=moved)).flipped) == 6
    lost = structs.replace(output, most=1)
    assert not golden(changed(made, output=lost)).passed
    more = structs.replace(output, class_power=0.05)
    assert not golden(changed(made, output=more)).passed


@pytest.mark.parametrize(
    ("column", "number", "message"),
    [
        (0, 2, "2 pictures"),
        (0, -1, "2 pictures"),
        (1, 2, "2 labels"),
        (1, 0.5, "2 labels"),
        (0, 1e30, "2 pictures"),
    ],
)
def test_golden_boxes_of_no_picture_or_label_are_refused(column: int, number: float, message: str) -> None:
    made = thing_bundle()
    name = made.manifest.variants[0].golden.file
    rows = np.load(io.BytesIO(made.members[name])).copy()
    rows[0, column] = number
    broken = replace(made, members={**made.members, name: npy(rows)})
    with pytest.raises(BundleError, match=message):
        golden(broken)

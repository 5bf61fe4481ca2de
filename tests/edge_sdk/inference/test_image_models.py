"""Pictures through real models: the right colour, the right place, clear words for what does not fit."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Literal

import numpy as np
import onnx
import pytest
from example_contract import npy
from msgspec import structs
from tiny_bundle import TinyBundle
from tiny_models import tiny_onnx
from tiny_pictures import (
    BLUE,
    COLORS,
    GREEN,
    RED,
    THINGS,
    color_bundle,
    color_input,
    color_model,
    color_weights,
    plain,
    thing_bundle,
    thing_input,
    thing_model,
    thing_output,
    thing_picture,
)

from edge_sdk.contract.detector import OffsetCoding, Suppression
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.manifest import ClassesOutput, FrameRule, ModelFormat
from edge_sdk.contract.manifest_document import Output
from edge_sdk.contract.values import Float32Array
from edge_sdk.errors import BundleError, ModelError
from edge_sdk.inference.golden import GoldenResult, run_golden
from edge_sdk.inference.image_classifier import ImageClassifier
from edge_sdk.inference.image_detector import ImageDetector
from edge_sdk.inference.open import open_backend


@pytest.mark.parametrize(("color", "best"), [(RED, "red"), (GREEN, "green"), (BLUE, "blue")])
@pytest.mark.parametrize("model_format", ["onnx", "tflite"])
def test_a_classifier_says_which_color_a_picture_has(
    color: tuple[int, int, int], best: str, model_format: ModelFormat
) -> None:
    with open_backend(color_model(model_format), model_format) as backend:
        scores = ImageClassifier(color_input(), ClassesOutput(), COLORS, backend).score(plain(color))
    assert COLORS[int(scores.argmax())] == best
    assert scores.max() > 0.9


def test_calibration_gets_the_very_tensor_that_the_model_gets() -> None:
    with open_backend(color_model(), "onnx") as backend:
        classifier = ImageClassifier(color_input(), ClassesOutput(), COLORS, backend)
        first = classifier.tensor_for(plain(RED))
        classifier.tensor_for(plain(BLUE))
    assert first.shape == (1, 8, 8, 3)
    assert first[0, 0, 0].tolist() == [1.0, 0.0, 0.0]


def test_a_detector_finds_things_where_they_are_in_the_picture() -> None:
    with open_backend(thing_model(), "onnx") as backend:
        found = ImageDetector(thing_input(), thing_output(), THINGS, backend).detect(
            thing_picture((1, 2, RED), (5, 6, (0, 200, 0)))
        )
    assert [THINGS[label] for label in found.labels[:2]] == ["red", "green"]
    np.testing.assert_allclose(found.boxes[:2], [[16, 8, 24, 16], [48, 40, 56, 48]], atol=1e-3)
    assert found.scores[0] > found.scores[1] > 0.5


@pytest.mark.parametrize("method", ["hard", "soft", "weighted", "none"])
@pytest.mark.parametrize("least_score", [0.3, 0.6, 2.0])
def test_leaving_out_early_what_scores_less_changes_nothing_in_the_rest(
    method: Literal["hard", "soft", "weighted", "none"], least_score: float
) -> None:
    # Boxes three cells wide, so that each overlaps its neighbours.
    output = structs.replace(
        thing_output(),
        coding=OffsetCoding(center_offset=0.5, size_activation="none", size_scale=3.0),
        suppression=Suppression(method=method, iou_threshold=0.3),
    )
    colors = np.random.default_rng(3).integers(0, 256, (8, 8, 3)).tolist()
    picture = thing_picture(*((row, column, colors[row][column]) for row in range(8) for column in range(8)))
    with open_backend(thing_model(), "onnx") as backend:
        all_found = ImageDetector(thing_input(), output, THINGS, backend).detect(picture)
        found = ImageDetector(thing_input(), output, THINGS, backend, least_score=least_score).detect(picture)
    over, expected = found.scores >= least_score, all_found.scores >= least_score
    assert over.all() or method == "weighted"
    assert expected.any() == (least_score < 1)
    assert not expected.all()
    np.testing.assert_array_equal(found.boxes[over], all_found.boxes[expected])
    np.testing.assert_array_equal(found.scores[over], all_found.scores[expected])
    np.testing.assert_array_equal(found.labels[over], all_found.labels[expected])


def test_a_weak_cell_joins_two_good_ones_whatever_scores_are_asked_for() -> None:
    output = structs.replace(
        thing_output(),
        coding=OffsetCoding(center_offset=0.5, size_activation="none", size_scale=1.1),
        suppression=Suppression(method="merge"),
        least_score=0.1,
    )
    weak = (0, 0, 150)
    picture = thing_picture((0, 0, RED), (0, 1, weak), (0, 2, RED))
    with open_backend(thing_model(), "onnx") as backend:
        all_found = ImageDetector(thing_input(), output, THINGS, backend).detect(picture)
        found = ImageDetector(thing_input(), output, THINGS, backend, least_score=0.8).detect(picture)
    good = all_found.scores >= 0.8
    assert good.sum() == 1
    np.testing.assert_array_equal(found.boxes[found.scores >= 0.8], all_found.boxes[good])


def test_outputs_that_a_file_calls_otherwise_are_found_by_the_variants_names() -> None:
    output = structs.replace(
        thing_output(),
        scales=[
            structs.replace(
                scale,
                box=scale.box and structs.replace(scale.box, tensor="boxes"),
                classes=structs.replace(scale.classes, tensor="boxes"),
            )
            for scale in thing_output().scales
        ],
    )
    with open_backend(thing_model(), "onnx") as backend:
        with pytest.raises(ModelError, match="boxes"):
            ImageDetector(thing_input(), output, THINGS, backend)
        detector = ImageDetector(thing_input(), output, THINGS, backend, {"boxes": "found"})
        assert len(detector.detect(thing_picture((0, 0, RED))))


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (ImageInput(width=9, height=8), "height = 8, width = 8"),
        (ImageInput(width=8, height=8, layout="nchw"), "layout = 'nhwc'"),
        (ImageInput(width=8, height=8, name="photo"), "must take one tensor 'photo'"),
    ],
)
def test_an_input_that_does_not_fit_is_refused_with_what_would(image: ImageInput, message: str) -> None:
    with open_backend(color_model(), "onnx") as backend, pytest.raises(ModelError) as caught:
        ImageClassifier(image, ClassesOutput(), COLORS, backend)
    assert message in str(caught.value)
    assert "front end" not in str(caught.value)


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


def test_a_box_in_the_padding_alone_is_none() -> None:
    """Twice as wide as high: a quarter of the input above the picture, and one below."""
    image = structs.replace(thing_input(), resize="letterbox", pad_value=255.0)
    picture = thing_picture((1, 2, RED))[:32]
    with open_backend(thing_model(), "onnx") as backend:
        found = ImageDetector(image, thing_output(), THINGS, backend).detect(picture)
    assert THINGS[found.labels[0]] == "red"
    assert (found.boxes[:, 2:] > found.boxes[:, :2]).all()
    assert (found.scores >= 0.5).sum() == 1


def test_an_output_that_goes_by_the_name_of_another_is_not_taken_for_it() -> None:
    made = onnx.load_from_string(thing_model())
    made.graph.node.append(onnx.helper.make_node("Mul", ["found", "found"], ["places"]))
    made.graph.output.append(onnx.helper.make_tensor_value_info("places", 1, (1, 6, 8, 8)))
    output = structs.replace(
        thing_output(),
        scales=[
            structs.replace(
                scale,
                box=scale.box and structs.replace(scale.box, tensor="places"),
                classes=structs.replace(scale.classes, tensor="places"),
            )
            for scale in thing_output().scales
        ],
    )
    picture = thing_picture((0, 0, (0, 0, 180)))
    with open_backend(made.SerializeToString(), "onnx") as backend:
        named = ImageDetector(image := thing_input(), output, THINGS, backend, {"places": "found"})
        assert named.detect(picture).scores[0] == pytest.approx(180 / 255, abs=1e-3)
        with pytest.raises(ModelError, match="no output 'places'"):
            ImageDetector(image, output, THINGS, backend, {"places": "elsewhere"})


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

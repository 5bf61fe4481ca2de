"""Pictures through real models: the right colour, the right place, clear words for what does not fit."""

from __future__ import annotations

from typing import Literal

import numpy as np
import onnx
import pytest
from msgspec import structs
from tiny_pictures import (
    BLUE,
    COLORS,
    GREEN,
    RED,
    THINGS,
    color_input,
    color_model,
    plain,
    thing_input,
    thing_model,
    thing_output,
    thing_picture,
)

from edge_sdk.contract.detector import OffsetCoding, Suppression
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.manifest import ClassesOutput, ModelFormat
from edge_sdk.errors import ModelError
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

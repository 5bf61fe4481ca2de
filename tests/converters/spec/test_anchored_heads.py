"""SSD, BlazeFace, DETR and TFLite's postprocessing against their formulas, written as loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from head_decoding import decode_by_name
from slow_boxes import Found, assert_same_boxes, centered, slow_nms, slow_sigmoid, slow_softmax, spread_logits

from edge_sdk.contract.detector import Suppression
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.values import Array


def ssd_priors_by_hand() -> list[tuple[float, float, float, float]]:
    """Liu et al., 2016, with the settings of ``ssd_mobilenet_v1_coco.config``: y, x, height, width."""
    priors = []
    scales = [0.2, 0.35, 0.5, 0.65, 0.8, 0.95]
    for layer, cells in enumerate([19, 10, 5, 3, 2, 1]):
        pairs = [(scales[layer], ratio) for ratio in (1.0, 2.0, 0.5, 3.0, 0.3333333333)]
        after = scales[layer + 1] if layer < 5 else 1.0
        pairs.append((math.sqrt(scales[layer] * after), 1.0))
        if layer == 0:
            pairs = [(0.1, 1.0), (0.2, 2.0), (0.2, 0.5)]
        for row, column in np.ndindex(cells, cells):
            for scale, ratio in pairs:
                height, width = scale / math.sqrt(ratio), scale * math.sqrt(ratio)
                priors.append(((row + 0.5) / cells, (column + 0.5) / cells, height, width))
    return priors


def test_ssd_decodes_offsets_from_prior_boxes_with_variances_and_a_background() -> None:
    labels, image = 7, ImageInput(width=300, height=300)
    priors = ssd_priors_by_hand()
    assert len(priors) == 1917
    rng = np.random.default_rng(0)
    offsets = rng.normal(0, 1, (1, 1917, 4)).astype(np.float32)
    logits = spread_logits((1, 1917, labels + 1), seed=1, low=-3)
    logits[..., 0] += 6
    found = []
    for prior, (ty, tx, th, tw), scores in zip(priors, offsets[0].tolist(), logits[0].tolist(), strict=True):
        y, x = ty * 0.1 * prior[2] + prior[0], tx * 0.1 * prior[3] + prior[1]
        height, width = math.exp(th * 0.2) * prior[2], math.exp(tw * 0.2) * prior[3]
        for label, score in enumerate(slow_softmax(scores)[1:]):
            if score >= 0.05:
                box = centered(300 * x, 300 * y, 300 * width, 300 * height)
                found.append(Found(box, score, label))
    expected = slow_nms(found, 0.6)
    assert len(expected) > 20
    outputs = {"raw_outputs/box_encodings": offsets, "raw_outputs/class_predictions": logits}
    assert_same_boxes(decode_by_name("ssd_mobilenet", image, labels, outputs, most=10_000), expected)


def blazeface_anchors_by_hand(side: int, strides: list[int], each: int) -> list[tuple[float, float]]:
    """MediaPipe's ``ssd_anchors_calculator``: layers of one stride share their cells."""
    anchors, layer = [], 0
    while layer < len(strides):
        together = [other for other in strides[layer:] if other == strides[layer]]
        cells = side // strides[layer]
        for row, column in np.ndindex(cells, cells):
            anchors += [((column + 0.5) / cells, (row + 0.5) / cells)] * (each * len(together))
        layer += len(together)
    return anchors


@pytest.mark.parametrize(
    ("side", "strides", "each"),
    [(128, [8, 16, 16, 16], 2), (256, [16, 32, 32, 32], 2), (192, [4], 1)],
)
def test_blazeface_counts_pixels_from_its_anchors(side: int, strides: list[int], each: int) -> None:
    anchors = blazeface_anchors_by_hand(side, strides, each)
    rng = np.random.default_rng(side)
    regressors = rng.normal(0, 8, (1, len(anchors), 16)).astype(np.float32)
    regressors[..., 2:4] += 30  # sizes; one below 0 is no box
    logits = spread_logits((1, len(anchors), 1), seed=side, share=0.05)
    logits[0, 0], logits[0, 1] = 1e4, -1e4  # MediaPipe clips them; so far out it makes no difference
    found = []
    for (x, y), values, (logit,) in zip(anchors, regressors[0].tolist(), logits[0].tolist(), strict=True):
        score = slow_sigmoid(max(-100.0, min(100.0, logit)))
        if score >= 0.5 and values[2] > 0 and values[3] > 0:
            box = centered(
                *(side * (v / side + at) for v, at in zip(values[:2], (x, y), strict=True)), *values[2:4]
            )
            found.append(Found(box, score, 0))
    assert len(found) > 10
    outputs = {"regressors": regressors, "classificators": logits}
    image = ImageInput(width=side, height=side)
    everything = Suppression(method="none")
    assert_same_boxes(decode_by_name("blazeface", image, 1, outputs, suppression=everything), found)
    hard = Suppression(iou_threshold=0.3)
    assert_same_boxes(decode_by_name("blazeface", image, 1, outputs, suppression=hard), slow_nms(found, 0.3))


def test_detr_leaves_out_its_last_class_and_suppresses_nothing() -> None:
    labels, image = 91, ImageInput(width=800, height=600)
    rng = np.random.default_rng(4)
    boxes = rng.uniform(0.2, 0.8, (1, 100, 4)).astype(np.float32)
    logits = rng.normal(0, 3, (1, 100, labels + 1)).astype(np.float32)
    logits[..., -1] += 6
    found = []
    for (x, y, width, height), scores in zip(boxes[0].tolist(), logits[0].tolist(), strict=True):
        shares = slow_softmax(scores)[:-1]
        label = max(range(labels), key=shares.__getitem__)
        if shares[label] >= 0.05:
            found.append(Found(centered(800 * x, 600 * y, 800 * width, 600 * height), shares[label], label))
    assert len(found) > 20
    assert_same_boxes(decode_by_name("detr", image, labels, {"logits": logits, "pred_boxes": boxes}), found)


def postprocessed() -> list[Array]:
    """Boxes, classes, scores, count: three boxes in room for ten."""
    boxes = np.zeros((1, 10, 4), np.float32)
    boxes[0, :3] = [(0.1, 0.2, 0.5, 0.6), (0.0, 0.0, 1.0, 0.5), (0.3, 0.3, 0.4, 0.4)]
    classes = np.array([[2, 0, 1, *[0] * 7]], np.float32)
    scores = np.array([[0.9, 0.7, 0.6, *[0.55] * 7]], np.float32)
    return [boxes, classes, scores, np.array([3], np.float32)]


NAMES = {
    "TFLite_Detection_PostProcess": ["", ":1", ":2", ":3"],
    "StatefulPartitionedCall": [":3", ":2", ":1", ":0"],
    "detection_": ["boxes", "classes", "scores", "count"],
}


@pytest.mark.parametrize("stem", NAMES)
def test_tflite_postprocessing_gives_shares_in_the_order_y_x(stem: str) -> None:
    outputs = {stem + end: value for end, value in zip(NAMES[stem], postprocessed(), strict=True)}
    image = ImageInput(width=200, height=100)
    expected = [
        Found((40, 10, 120, 50), 0.9, 2),
        Found((0, 0, 100, 100), 0.7, 0),
        Found((60, 30, 80, 40), 0.6, 1),
    ]
    found = decode_by_name("tflite_detection_postprocess", image, 3, outputs)
    assert_same_boxes(found, expected, pixels=1e-4)
    shuffled = dict(sorted(outputs.items(), key=lambda pair: pair[0][::-1]))
    assert_same_boxes(decode_by_name("tflite_detection_postprocess", image, 3, shuffled), expected, 1e-4)

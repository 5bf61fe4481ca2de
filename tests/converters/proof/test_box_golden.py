"""How far a healthy device's boxes may be off: as far as right kernels are, ties left aside."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from changed_backend import ChangedBackend, rounded
from msgspec import structs
from tiny_pictures import thing_output

from converters.proof.box_golden import FoundBoxes, box_tolerance, least_score
from converters.proof.trial import Tolerance
from converters.spec.detector_heads import head_preset
from edge_sdk.contract.detector import CandidateBoxes, Suppression
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.manifest import Precision
from edge_sdk.contract.values import Box, Detections
from edge_sdk.image.picture_file import read_picture
from edge_sdk.inference.backend import Backend
from edge_sdk.inference.golden_ties import without_suppression
from edge_sdk.inference.image_detector import ImageDetector
from edge_sdk.inference.open import open_backend

FASTESTDET = ImageInput(width=352, height=352, layout="nchw", color="bgr", std=(255.0,))
LABELS = ("cat", "dog")
A, B = (0.0, 0.0, 10.0, 10.0), (20.0, 20.0, 40.0, 40.0)
OVER_A = {0.67: (2.0, 0.0, 12.0, 10.0), 0.43: (4.0, 0.0, 14.0, 10.0)}
OTHERS = [("dog", (50.0, 20.0 * n, 60.0, 20.0 * n + 10), 0.9) for n in range(5)]


def found(*boxes: tuple[str, Box, float]) -> Detections:
    return Detections(
        np.array([box for _, box, _ in boxes], dtype=np.float32).reshape(-1, 4),
        np.array([score for _, _, score in boxes], dtype=np.float32),
        np.array([LABELS.index(label) for label, _, _ in boxes], dtype=np.int64),
    )


def output(threshold: float = 0.4) -> CandidateBoxes:
    return structs.replace(thing_output(), least_score=0.5, suppression=Suppression(iou_threshold=threshold))


def tolerance(precision: Precision, kernels: list[list[Detections]]) -> Tolerance:
    """Without a look at what was before suppression."""
    return box_tolerance(precision, [FoundBoxes(given) for given in kernels], output(), {}, LABELS)


def test_the_tolerance_holds_for_every_set_of_kernels() -> None:
    wanted = found(("cat", A, 0.9))
    same = tolerance("float32", [[wanted], [wanted]])
    assert (same.bound, same.least_iou) == (1e-3, 0.95)
    moved = found(("cat", (0.0, 0.0, 10.0, 9.0), 0.87), ("dog", B, 0.52))
    wide = tolerance("int8", [[wanted], [moved]])
    assert wide.bound == pytest.approx(0.06)
    assert wide.least_iou == pytest.approx(0.8)
    alone = tolerance("int8", [[wanted], [found(("cat", A, 0.9), ("dog", B, 0.7))]])
    assert alone.difference == pytest.approx(0.2)  # what the box is over its threshold
    assert alone.bound == 0.2


def test_boxes_that_do_not_count_do_not_widen_the_tolerance() -> None:
    """Suppression left another weak box, whose overlap and score say nothing of those that count."""
    strong = ("cat", A, 0.9)
    wanted, given = found(strong, ("cat", B, 0.07)), found(strong, ("cat", (20.0, 20.0, 40.0, 32.0), 0.44))
    given_by = tolerance("float32", [[wanted], [given]])
    assert (given_by.bound, given_by.least_iou) == (1e-3, 0.95)


def test_a_box_that_comes_and_goes_does_not_widen_the_least_overlap() -> None:
    near, moved = ("dog", B, 0.51), ("dog", (20.0, 20.0, 40.0, 32.0), 0.50)
    given_by = tolerance("int8", [[found(near)], [found(moved)]])
    assert given_by.bound == pytest.approx(0.02)
    assert given_by.least_iou == pytest.approx(0.8)
    clear, moved = ("dog", B, 0.9), ("dog", (20.0, 20.0, 40.0, 32.0), 0.9)
    assert tolerance("int8", [[found(clear)], [found(moved)]]).least_iou == 0.3
    elsewhere = found(("dog", A, 0.9))
    assert tolerance("int8", [[found(clear)], [elsewhere]]).contradicted


@pytest.mark.parametrize("over_it", OVER_A.values(), ids=map(str, OVER_A))
def test_a_tie_between_kernels_widens_nothing(over_it: Box) -> None:
    """As it fails no device: here one left the box over another one, which suppression then drops."""
    reference = found(("cat", A, 0.8034), *OTHERS)
    left, lost = ("cat", over_it, 0.8038), ("cat", A, 0.8034)
    sets = [FoundBoxes([reference]), FoundBoxes([found(left, *OTHERS)], [found(left, lost, *OTHERS)])]
    within = box_tolerance("float32", sets, output(), {}, LABELS)
    assert (within.bound, within.least_iou) == (1e-3, 0.95)
    blind = box_tolerance("float32", [FoundBoxes(one.found) for one in sets], output(), {}, LABELS)
    assert blind.contradicted or (blind.least_iou or 0.0) < 0.5


def test_what_is_no_tie_widens_the_tolerance_as_ever() -> None:
    """The expected box is not among what the other kernels had before suppression."""
    reference, other = found(("cat", A, 0.8), *OTHERS), found(("cat", OVER_A[0.43], 0.8), *OTHERS)
    sets = [FoundBoxes([reference]), FoundBoxes([other], [other])]
    assert box_tolerance("float32", sets, output(), {}, LABELS).contradicted


def test_the_tolerance_of_a_detector_is_that_of_its_scores_though_boxes_are_tied(shared_data: Path) -> None:
    """Of two devices that round as float16 does, each has another box in one of these photos."""
    label_ids = tuple(f"label_{number}" for number in range(80))
    paths = sorted((shared_data / "images/voc100/images").glob("*.jpg"))[:40]
    photos = [
        np.asarray(cv2.resize(read_picture(path), (440, 330), interpolation=cv2.INTER_AREA), dtype=np.uint8)
        for path in paths
    ]
    with open_backend((shared_data / "models/fastestdet/FastestDet.onnx").read_bytes(), "onnx") as backend:
        head = head_preset("fastestdet", FASTESTDET, len(label_ids), backend.outputs)
        before = without_suppression(head, least_score({}, label_ids))
        assert before is not None

        def found_by(device: Backend) -> FoundBoxes:
            answers = (
                [ImageDetector(FASTESTDET, asked, label_ids, device).detect(photo) for photo in photos]
                for asked in (head, before)
            )
            return FoundBoxes(*answers)

        sets = [
            found_by(backend),
            *(found_by(ChangedBackend(backend, rounded(seed, 1e-3))) for seed in (0, 1)),
        ]
    within = box_tolerance("float16", sets, head, {}, label_ids)
    assert within.bound == 0.005
    assert within.least_iou == pytest.approx(0.89, abs=0.01)
    blind = box_tolerance("float16", [FoundBoxes(one.found) for one in sets], head, {}, label_ids)
    assert blind.least_iou == pytest.approx(0.58, abs=0.01)

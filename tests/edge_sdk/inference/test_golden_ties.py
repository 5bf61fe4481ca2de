"""Of boxes of nearly one score over one thing, rounding decides which is left: no device fails for that."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from msgspec import structs
from tiny_bundle import TinyBundle
from tiny_pictures import thing_bundle, thing_output

from converters.spec.detector_heads import head_preset
from edge_sdk.contract.bundle import Bundle
from edge_sdk.contract.detector import CandidateBoxes, Suppression
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.manifest import FrameRule, Label
from edge_sdk.contract.values import Array, Box, Detections, Float32Array, Pixels
from edge_sdk.image.picture_file import read_picture
from edge_sdk.inference import golden_boxes
from edge_sdk.inference.backend import Backend
from edge_sdk.inference.golden_boxes import golden_rows, run_golden_boxes
from edge_sdk.inference.golden_result import GoldenResult
from edge_sdk.inference.golden_ties import Ties, without_suppression
from edge_sdk.inference.image_detector import ImageDetector
from edge_sdk.inference.open import open_backend

if TYPE_CHECKING:
    from typing_extensions import Self

IMAGE = ImageInput(width=352, height=352, layout="nchw", color="bgr", std=(255.0,))
LABELS = tuple(f"label_{number}" for number in range(80))
OBJECTNESS_AND_CLASSES = [0, *range(5, 85)]
PLACES = range(1, 3)
FLOAT16 = 1e-3


class Device:
    """A backend whose answers are those of another one, but for what is done to them."""

    def __init__(self, backend: Backend, change: Callable[[Array], Array]) -> None:
        self.inputs, self.outputs = backend.inputs, backend.outputs
        self._backend, self._change = backend, change

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def close(self) -> None: ...

    def infer(self, tensors: Mapping[str, Array]) -> Mapping[str, Array]:
        return {name: self._change(value) for name, value in self._backend.infer(tensors).items()}


def rounded(seed: int, share: float) -> Callable[[Array], Array]:
    """Each number off by about so much of itself, for one picture always by the same."""

    def change(value: Array) -> Array:
        noise = np.random.default_rng([seed, zlib.crc32(value.tobytes())]).standard_normal(value.shape)
        off = (value * (1 + share * noise)).astype(np.float32)
        off[:, OBJECTNESS_AND_CLASSES] = off[:, OBJECTNESS_AND_CLASSES].clip(0, 1)
        return off

    return change


@dataclass(frozen=True)
class Detector:
    """FastestDet, photos of golden samples' size, and what it finds in them."""

    backend: Backend
    bundle: Bundle
    photos: list[Pixels]
    rows: Float32Array

    def on(self, change: Callable[[Array], Array]) -> GoldenResult:
        """What golden samples say of a device that changes the model's answers so."""
        device = Device(self.backend, change)
        variant = self.bundle.manifest.variants[0]
        return run_golden_boxes(self.bundle, variant, device, self.photos, self.rows)


def smaller(picture: Pixels) -> Pixels:
    return np.asarray(cv2.resize(picture, (440, 330), interpolation=cv2.INTER_AREA), dtype=np.uint8)


@pytest.fixture(scope="module")
def fastestdet(shared_data: Path) -> Iterator[Detector]:
    paths = sorted((shared_data / "images/voc100/images").glob("*.jpg"))[:40]
    photos = [smaller(read_picture(path)) for path in paths]
    model = (shared_data / "models/fastestdet/FastestDet.onnx").read_bytes()
    with open_backend(model, "onnx") as backend:
        output = head_preset("fastestdet", IMAGE, len(LABELS), backend.outputs)
        found = [ImageDetector(IMAGE, output, LABELS, backend).detect(photo) for photo in photos]
        made = thing_bundle()
        variant = made.manifest.variants[0]
        expected = structs.replace(variant.golden, bound=0.01, least_iou=0.9)
        manifest = structs.replace(
            made.manifest,
            labels=[Label(id=label_id, name=label_id) for label_id in LABELS],
            inputs=[IMAGE],
            outputs=[output],
            frame_rules={label_id: FrameRule(threshold=0.5) for label_id in LABELS},
            variants=[structs.replace(variant, golden=expected)],
        )
        bundle = TinyBundle(manifest, made.members).bundle()
        yield Detector(backend, bundle, photos, golden_rows(found))


def test_devices_that_round_otherwise_pass_though_other_boxes_are_left(
    fastestdet: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    devices = [rounded(seed, FLOAT16) for seed in range(4)]
    for result in map(fastestdet.on, devices):
        assert result.passed, result.difference
        assert 0 < result.max_abs_difference <= 0.01
    monkeypatch.setattr(golden_boxes, "without_suppression", lambda output, least_score: None)
    assert any(fastestdet.on(device).flipped for device in devices)  # there were such boxes


def shifted(value: Array) -> Array:
    """Half a cell to the right and down."""
    moved = value.copy()
    moved[:, PLACES] += 0.5
    return moved


def with_other_labels(value: Array) -> Array:
    return np.concatenate([value[:, :5], np.roll(value[:, 5:], 1, axis=1)], axis=1)


def less_sure(value: Array) -> Array:
    lower = value.copy()
    lower[:, 0] *= 0.9
    return lower


def turned(value: Array) -> Array:
    return value[..., ::-1]


def blind_to_a_part(value: Array) -> Array:
    """As where a kernel leaves the last rows out."""
    seen = value.copy()
    seen[:, 0, 11:] = 0
    return seen


@pytest.mark.parametrize("mistake", [shifted, with_other_labels, less_sure, turned, blind_to_a_part])
def test_a_device_that_computes_something_else_fails_all_the_same(
    fastestdet: Detector, mistake: Callable[[Array], Array]
) -> None:
    result = fastestdet.on(lambda value: mistake(rounded(0, FLOAT16)(value)))
    assert not result.passed


# --- the rule ---

FIRST, SECOND, BESIDE, ELSEWHERE = (
    (0.0, 0.0, 10.0, 10.0),
    (2.0, 0.0, 12.0, 10.0),  # an overlap of 0.67 with the first
    (6.0, 0.0, 16.0, 10.0),  # 0.43 with the second, 0.25 with the first
    (40.0, 0.0, 50.0, 10.0),
)


def boxes(*given: tuple[Box, float]) -> Detections:
    return Detections(
        np.array([box for box, _ in given], dtype=np.float32).reshape(-1, 4),
        np.array([score for _, score in given], dtype=np.float32),
        np.zeros(len(given), dtype=np.int64),
    )


def ties(wanted: Detections, found: Detections, before: Detections, threshold: float = 0.4) -> Ties:
    output = structs.replace(
        thing_output(), least_score=0.5, suppression=Suppression(iou_threshold=threshold)
    )
    return Ties(output, before, found, wanted, bound=0.02, least_iou=0.9)


def test_two_boxes_may_change_places_and_with_them_what_they_drop() -> None:
    wanted = boxes((FIRST, 0.80), (BESIDE, 0.60))
    found = boxes((SECOND, 0.805))
    before = boxes((SECOND, 0.805), (FIRST, 0.795), (BESIDE, 0.60))
    judged = ties(wanted, found, before)
    assert judged.may_be_missing([0, 1]) == [True, True]
    assert judged.may_be_extra([0], [0, 1]) == [True]


@pytest.mark.parametrize(
    "before",
    [
        boxes((SECOND, 0.805)),
        boxes((SECOND, 0.805), (FIRST, 0.7)),
        boxes((SECOND, 0.805), ((1.0, 0.0, 11.0, 10.0), 0.8)),
    ],
    ids=["not there before", "of another score", "in another place"],
)
def test_a_box_that_was_not_there_before_either_is_missing(before: Detections) -> None:
    judged = ties(boxes((FIRST, 0.80)), boxes((SECOND, 0.805)), before)
    assert judged.may_be_missing([0]) == [False]


def test_a_box_that_nothing_better_overlaps_is_missing() -> None:
    """As where fewer boxes are kept than should be."""
    wanted, before = boxes((FIRST, 0.80)), boxes((FIRST, 0.80), (SECOND, 0.6), (ELSEWHERE, 0.9))
    for found in (boxes((ELSEWHERE, 0.9)), boxes((SECOND, 0.6))):
        assert ties(wanted, found, before).may_be_missing([0]) == [False]


def test_a_box_that_fell_below_the_least_score_of_all_is_not_missing() -> None:
    """Nothing is left of it in what the manifest asks for; another one that came up is not it, moved."""
    wanted, found = boxes((FIRST, 0.505)), boxes((ELSEWHERE, 0.505))
    judged = ties(wanted, found, boxes((ELSEWHERE, 0.505), (FIRST, 0.495)))
    assert judged.may_be_missing([0]) == [True]


def test_a_box_that_no_expected_one_would_drop_is_too_many() -> None:
    wanted = boxes((FIRST, 0.80))
    for extra in ((ELSEWHERE, 0.6), (SECOND, 0.85), (BESIDE, 0.6)):
        found = boxes((FIRST, 0.80), extra)
        assert ties(wanted, found, found).may_be_extra([1], [0]) == [False]
    assert ties(wanted, boxes((SECOND, 0.805)), boxes()).may_be_extra([0], []) == [False]


@pytest.mark.parametrize("method", ["soft", "weighted", "merge", "none"])
def test_only_a_rule_that_drops_boxes_is_looked_behind(method: str) -> None:
    output: CandidateBoxes = thing_output()
    other = structs.replace(output, suppression=structs.replace(output.suppression, method=method))
    assert without_suppression(other, 0.3) is None
    hard = without_suppression(structs.replace(output, suppression=Suppression(), least_score=0.5), 0.3)
    assert hard is not None
    assert (hard.suppression.method, hard.least_score) == ("none", 0.3)

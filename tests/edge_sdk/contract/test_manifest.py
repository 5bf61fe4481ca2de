"""A manifest from anywhere is either right or refused with the field named."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from example_contract import example_detector, example_manifest, example_rule
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.contract.manifest import decode_manifest, encode_manifest
from edge_sdk.errors import ManifestError, UsageError

Document = dict[str, Any]


def document() -> Document:
    loaded: Document = json.loads(encode_manifest(example_manifest()))
    return loaded


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, item in items for found in _paths(item, (*path, key)))]


def detector() -> Document:
    loaded: Document = json.loads(encode_manifest(example_detector()))
    return loaded


PATHS = _paths(document())[1:]
DETECTOR_PATHS = _paths(detector())[1:]
anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=10),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.none(), max_size=2),
)


@given(payload=st.binary(max_size=300))
def test_bytes_from_anywhere_are_refused(payload: bytes) -> None:
    with pytest.raises(ManifestError):
        decode_manifest(payload)


@given(path=st.sampled_from(PATHS), value=anything)
def test_any_value_anywhere_is_read_or_refused(path: tuple[Any, ...], value: object) -> None:
    changed = document()
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    try:
        manifest = decode_manifest(json.dumps(changed).encode())
    except ManifestError:
        return
    assert decode_manifest(encode_manifest(manifest)) == manifest


@given(path=st.sampled_from(DETECTOR_PATHS), value=anything)
def test_any_value_anywhere_in_a_detector_is_read_or_refused(path: tuple[Any, ...], value: object) -> None:
    changed = detector()
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    try:
        manifest = decode_manifest(json.dumps(changed).encode())
    except ManifestError:
        return
    assert decode_manifest(encode_manifest(manifest)) == manifest


@given(path=st.sampled_from(PATHS))
def test_any_missing_field_has_a_default_or_is_refused(path: tuple[Any, ...]) -> None:
    changed = document()
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    del holder[path[-1]]
    try:
        manifest = decode_manifest(json.dumps(changed).encode())
    except ManifestError:
        return
    assert decode_manifest(encode_manifest(manifest)) == manifest


def _set(*path: Any, to: Any) -> Callable[[Document], None]:
    def change(changed: Document) -> None:
        holder = changed
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] = to

    return change


RULE = ("rules", "gunshot")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_set("labels", 1, "id", to="chainsaw"), "label id 'chainsaw' appears twice"),
        (_set("labels", 0, "id", to="Chainsaw"), "labels"),
        (_set("rules", "thunder", to=msgspec.to_builtins(example_rule())), "'thunder', which is no label"),
        (_set(*RULE, "release", to=0.9), "release 0.9 is above threshold 0.8"),
        (_set(*RULE, "threshold", to=1.5), "threshold"),
        (_set(*RULE, "hits", to=0), "hits"),
        (_set(*RULE, "within_samples", to=19_999), "can never open .* at least 20000 samples"),
        (_set("inputs", 0, "step_samples", to=4_001), "4000 samples .* or 4160 samples"),
        (_set("inputs", 0, "step_samples", to=16_160), "would never be heard"),
        (_set("inputs", 0, "sample_rate_hz", to=8_000), "its front end's 16000"),
        (_set("inputs", 0, "kind", to="proposals"), "proposals"),
        (_set("inputs", 0, "front_end", "front_end", to="mfcc"), "front_end"),
        (_set("inputs", 0, "front_end", "hop", to=0), "hop must be"),
        (_set("inputs", 0, "front_end", "fmax_hz", to=9_000.0), "half the sample rate"),
        (_set("inputs", to=[]), "inputs"),
        (_set("stages", 0, "variants", 0, to="other"), "no variant 'other'"),
        (_set("variants", 0, "file", to="models/other.tflite"), "its digest is not listed"),
        (_set("variants", 0, "file", to="../escape"), "file"),
        (_set("variants", 0, "bytes", to=12), "disagree on"),
        (_set("variants", 0, "format", to="pickle"), "format"),
        (_set("golden", "label_ids", to=["gunshot", "chainsaw"]), "other labels, or another order"),
        (_set("schema_version", to="2.0"), "schema version 2.0; this edge-sdk reads 1.3"),
        (_set("outputs", 0, "decoder", to="boxes"), "decoder"),
    ],
)
def test_contradiction_is_refused_and_named(change: Callable[[Document], None], message: str) -> None:
    changed = document()
    change(changed)
    with pytest.raises(ManifestError, match=message):
        decode_manifest(json.dumps(changed).encode())


SCALE = ("outputs", 0, "scales", 0)
AXES = ["batch", "anchors_values", "rows", "columns"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_set("modality", to="audio"), "modality is 'audio', but the input is of kind 'image'"),
        (_set("task", to="classify"), "the task is 'classify', but the output's decoder"),
        (_set("rules", to={"gunshot": msgspec.to_builtins(example_rule())}), "not for input of kind 'image'"),
        (_set("frame_rules", "thunder", to={"threshold": 0.5}), "'thunder', which is no label"),
        (_set("outputs", 0, "decoder", to="boxes"), "boxes"),
        (_set("inputs", 0, "width", to=0), "width"),
        (_set("inputs", 0, "mean", to=[1.0, 2.0]), "mean must be one finite number, or one for each"),
        (_set("inputs", 0, "std", to=[0.0]), "std must be above 0"),
        (_set(*SCALE, "grids", to=[]), "no grid says where"),
        (_set(*SCALE, "grids", 0, "anchors", to=[]), "a grid has none"),
        (_set(*SCALE, "grids", 0, "anchors", to=[[1.0, 0.0]]), "no number above 0"),
        (_set(*SCALE, "grids", 0, "rows", to=0), "rows"),
        (_set(*SCALE, "priors", to=[[0.5, 0.5, 1.0, 1.0]]), "both grids and priors"),
        (_set(*SCALE, "box", "axes", to=[*AXES, "rows"]), "an axis appears twice"),
        (
            _set(*SCALE, "box", "axes", to=["batch", "rows", "values"]),
            "either rows and columns or",
        ),
        (_set(*SCALE, "box", "axes", to=["batch", "candidates"]), "box: axes must name values"),
        (
            _set(*SCALE, "box", "axes", to=["batch", "rows", "columns"]),
            "must name values, and perhaps",
        ),
        (_set(*SCALE, "grids", to=[{"rows": 10, "columns": 13, "anchors": [[1, 1]]}] * 2), "cannot hold 2"),
        (_set(*SCALE, "grids", 0, "stride", to=0), "stride"),
        (_set(*SCALE, "grids", 0, "stride", to=16), "10 rows and 13 columns in strides of 16 .* not cover"),
        (_set(*SCALE, "grids", 0, "stride", to=64), "not cover the input of 416 x 320"),
        (_set(*SCALE, "grids", 0, to={"rows": 13, "columns": 10, "anchors": [[9, 9]]}), "were exchanged"),
        (_set(*SCALE, "grids", 0, "anchors", to=[[0.1, 0.2]]), "smaller than one pixel"),
        (_set(*SCALE, "grids", 0, "anchors", to=[[9, 9]] * 7689), "candidates, more than 1000000"),
        (_set(*SCALE, "box", "start", to=10**18), "start"),
        (_set("frame_rules", "gunshot", "threshold", to=0.01), "'gunshot' is 0.01, but the detector leaves"),
        (_set("variants", 0, "golden", "least_iou", to=None), "how much its golden boxes must overlap"),
        (_set("variants", 0, "golden", "least_iou", to=0), "how much its golden boxes must overlap"),
        (_set(*SCALE, "size", to={"axes": ["batch", "values"]}), "size: axes must name"),
        (_set(*SCALE, "coding", to={"coding": "direct", "order": "zx"}), "order"),
        (_set("outputs", 0, "peaks", to=4), "odd number of cells"),
        (_set("outputs", 0, "peaks", to=3), "no softmax, no objectness"),
        (_set("outputs", 0, "suppression", "iou_threshold", to=1.5), "iou_threshold"),
        (_set("outputs", 0, "coding", "coding", to="magic"), "magic"),
    ],
)
def test_contradiction_in_a_detector_is_refused_and_named(
    change: Callable[[Document], None], message: str
) -> None:
    changed = detector()
    change(changed)
    with pytest.raises(ManifestError, match=message):
        decode_manifest(json.dumps(changed).encode())


PART = {"axes": ["batch", "candidates", "values"]}


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        ([0.5, 0.5, 0.0, 0.2], "width or height is not above 0"),
        ([0.5, 0.5, 0.2, -0.2], "width or height is not above 0"),
        ([208.0, 160.0, 40.0, 40.0], "shares of the input, not pixels"),
    ],
)
def test_priors_that_no_box_can_come_from_are_refused(prior: list[float], message: str) -> None:
    changed = detector()
    _set("outputs", 0, "coding", to={"coding": "offset", "center_unit": "input", "size_unit": "anchor"})(
        changed
    )
    scale = {"box": PART, "classes": PART, "priors": [[0.5, 0.5, 0.1, 0.1], prior]}
    _set("outputs", 0, "scales", to=[scale])(changed)
    with pytest.raises(ManifestError, match=message):
        decode_manifest(json.dumps(changed).encode())


@pytest.mark.parametrize(
    "names",
    [
        {"boxes": "a", "classes": "b", "scores": "b"},
        {"boxes": "a", "classes": "a", "scores": "b"},
        {"boxes": "a", "classes": "b", "scores": "c", "count": "c"},
    ],
)
def test_finished_boxes_come_from_tensors_of_their_own(names: dict[str, str]) -> None:
    changed = detector()
    _set("outputs", 0, to={"decoder": "detection_tensors", **names})(changed)
    with pytest.raises(ManifestError, match="share the tensor"):
        decode_manifest(json.dumps(changed).encode())


def test_a_bundle_is_asked_only_for_what_it_does() -> None:
    listening, looking = example_manifest(), example_detector()
    assert listening.thresholds == {"gunshot": 0.8}
    assert looking.thresholds == {"gunshot": 0.5}
    with pytest.raises(UsageError, match="looks at pictures"):
        _ = looking.audio
    with pytest.raises(UsageError, match="listens to sound"):
        _ = listening.image
    with pytest.raises(UsageError, match="finds boxes"):
        _ = looking.classes
    with pytest.raises(UsageError, match="finds no boxes"):
        _ = listening.detections


def test_shortest_span_that_can_hold_all_hits_is_taken() -> None:
    changed = document()
    _set(*RULE, "within_samples", to=20_000)(changed)
    assert decode_manifest(json.dumps(changed).encode()).rules["gunshot"].within_samples == 20_000


def test_variant_is_found_by_name() -> None:
    manifest = example_manifest()
    assert manifest.variant("tflite-float32") is manifest.variants[0]
    with pytest.raises(ManifestError, match="no variant 'int8'"):
        manifest.variant("int8")
    with pytest.raises(ManifestError, match="did you mean 'tflite-float32'"):
        manifest.variant("tflite-floot32")

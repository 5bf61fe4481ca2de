"""A manifest from anywhere is either right or refused with the field named."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from example_contract import example_manifest, example_rule
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.contract.manifest import decode_manifest, encode_manifest
from edge_sdk.errors import ManifestError

Document = dict[str, Any]


def document() -> Document:
    loaded: Document = json.loads(encode_manifest(example_manifest()))
    return loaded


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, item in items for found in _paths(item, (*path, key)))]


PATHS = _paths(document())[1:]
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
        (_set("inputs", 0, "kind", to="image"), "kind"),
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
        (_set("schema_version", to="2.0"), "schema version 2.0; this edge-sdk reads 1.0"),
        (_set("outputs", 0, "decoder", to="boxes"), "decoder"),
    ],
)
def test_contradiction_is_refused_and_named(change: Callable[[Document], None], message: str) -> None:
    changed = document()
    change(changed)
    with pytest.raises(ManifestError, match=message):
        decode_manifest(json.dumps(changed).encode())


def test_shortest_span_that_can_hold_all_hits_is_taken() -> None:
    changed = document()
    _set(*RULE, "within_samples", to=20_000)(changed)
    assert decode_manifest(json.dumps(changed).encode()).rules["gunshot"].within_samples == 20_000


def test_variant_is_found_by_name() -> None:
    manifest = example_manifest()
    assert manifest.variant("tflite-float32") is manifest.variants[0]
    with pytest.raises(ManifestError, match="no variant 'int8'"):
        manifest.variant("int8")

"""An engine is built with the precision of its ONNX under every release, or what is refused is named.

8.6 to 11 are fakes.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from fake_gpu import FakeGpu
from fake_trt_runtime import read_plan
from gpu_onnx import mixed_onnx, scaled_onnx, unknown_onnx
from hypothesis import given
from hypothesis import strategies as st
from tiny_engines import MODELS, refusals

from edge_sdk.errors import BackendError, UsageError
from edge_sdk.inference.tensorrt.build import build_engine, check_target, known_families
from edge_sdk.inference.tensorrt.library import find_library
from edge_sdk.inference.tensorrt.progress_monitor import BuildShare
from edge_sdk.inference.tensorrt.refusal import Refusal

Install = Callable[..., None]
RELEASES = ["8.6", "10.3", "11.4"]
EVERY_RELEASE = pytest.mark.parametrize("release", RELEASES)


def built(model: bytes, **settings: Any) -> dict[str, Any]:
    """What a fake builder wrote down of its settings."""
    plan = build_engine(find_library(), model, **settings).plan
    assert plan is not None
    found = read_plan(plan)
    assert found is not None
    return found


# --- settings, by release ---


HELD = "OBEY_PRECISION_CONSTRAINTS"


@pytest.mark.parametrize(
    ("precision", "flags"), [("float32", []), ("float16", ["FP16", HELD]), ("int8", ["INT8"])]
)
def test_8_6_is_allowed_the_precisions_that_are_in_the_onnx_and_no_other(
    install: Install, precision: str, flags: list[str]
) -> None:
    install("8.6")
    assert built(MODELS[precision]())["flags"] == flags


def test_8_6_runs_in_float32_what_the_onnx_has_in_float32_beside_float16_and_int8(install: Install) -> None:
    """Its flag allows float16 everywhere; a sum that needs float32 would overflow."""
    install("8.6")
    plan = built(mixed_onnx())
    assert plan["flags"] == ["FP16", "INT8", HELD]
    assert plan["held"] == ["from_half", "add_float32"]


@pytest.mark.parametrize("release", ["10.3", "11.4"])
@pytest.mark.parametrize("precision", MODELS)
def test_later_ones_keep_to_the_types_of_the_onnx(install: Install, release: str, precision: str) -> None:
    install(release)
    plan = built(MODELS[precision]())
    assert plan["typed"]
    assert plan["flags"] == []


@EVERY_RELEASE
def test_float32_is_not_rounded_to_tf32(install: Install, release: str) -> None:
    install(release)
    assert "TF32" not in built(scaled_onnx())["flags"]


@EVERY_RELEASE
def test_the_workspace_is_capped(install: Install, release: str) -> None:
    install(release)
    assert built(scaled_onnx(), workspace_bytes=64 << 20)["workspace"] == 64 << 20
    assert built(scaled_onnx())["workspace"] is None


@EVERY_RELEASE
def test_an_open_batch_is_fixed_to_one(install: Install, release: str) -> None:
    install(release)
    assert built(scaled_onnx(shape=("batch", 4)))["shapes"] == {"x": [1, 4]}
    assert built(scaled_onnx())["shapes"] == {}


@EVERY_RELEASE
def test_what_was_measured_is_used_by_the_next_build(install: Install, release: str) -> None:
    install(release)
    first = build_engine(find_library(), scaled_onnx()).timings
    second = build_engine(find_library(), scaled_onnx(), timings=first).timings
    assert len(first) < len(second)
    assert second.startswith(first)


@EVERY_RELEASE
def test_what_another_version_measured_is_left_alone(install: Install, release: str) -> None:
    install(release)
    fresh = build_engine(find_library(), scaled_onnx()).timings
    assert fresh
    assert build_engine(find_library(), scaled_onnx(), timings=b"7.0.0+").timings == fresh


@pytest.mark.parametrize(("release", "tells"), [("8.6", False), ("10.3", True), ("11.4", True)])
def test_progress_is_told_where_the_release_tells_it(install: Install, release: str, *, tells: bool) -> None:
    install(release)
    told: list[tuple[str, float]] = []
    built(scaled_onnx(), on_progress=lambda phase, share: told.append((phase, share)))
    assert bool(told) == tells
    if tells:
        assert told[-1] == ("Building engine", 1.0)


# --- refused ---


@pytest.mark.parametrize(
    ("release", "refusal"),
    [
        ("8.6", Refusal("MelWeightMatrix", "node 0", "unsupported node")),
        ("10.3", Refusal("MelWeightMatrix", "mel", "unsupported node")),
    ],
)
def test_an_operator_that_is_not_known_is_named_as_far_as_the_release_tells(
    install: Install, release: str, refusal: Refusal
) -> None:
    install(release)
    assert refusals(find_library(), unknown_onnx()) == (refusal,)


@EVERY_RELEASE
@pytest.mark.parametrize(
    "content", [b"", b"no onnx", scaled_onnx()[:40]], ids=["empty", "foreign", "truncated"]
)
def test_what_is_no_onnx_is_refused(install: Install, release: str, content: bytes) -> None:
    install(release)
    if content:
        (refusal,) = refusals(find_library(), content)
        assert "could not parse" in refusal.reason


@EVERY_RELEASE
def test_shapes_that_are_open_beyond_the_batch_are_refused_by_input(install: Install, release: str) -> None:
    install(release)
    (refusal,) = refusals(find_library(), scaled_onnx(shape=("batch", "width")))
    assert str(refusal).startswith("input 'x': its shape [any, any] is open beyond the batch")


def test_a_builder_that_gives_nothing_and_says_nothing_is_a_refusal(install: Install) -> None:
    install("10.3", behaviour="silent")
    assert [str(refusal) for refusal in refusals(find_library(), scaled_onnx())] == ["it gives no reason"]


def test_a_builder_that_does_not_start_is_an_error(install: Install, gpu: FakeGpu) -> None:
    install("10.3")
    gpu.count = 0
    with pytest.raises(BackendError, match=r"TensorRT 10\.3\.0 does not start") as caught:
        build_engine(find_library(), scaled_onnx())
    assert caught.value.hint is not None


# --- for which GPU ---


def test_families_of_cards_are_those_that_the_library_names(install: Install) -> None:
    install("rtx")
    assert list(known_families(find_library())) == ["8.0", "8.6", "8.9", "12.0"]
    assert built(scaled_onnx(), compute_capability="12.0")["capability"] == [12, 0]
    install("10.3")
    assert known_families(find_library()) == {}


@pytest.mark.parametrize(
    ("capability", "here"), [("8.7", True), ("9.0", True), ("8.7", False), ("12.9", False)]
)
def test_a_gpu_that_is_none_of_them_is_wrong_use(install: Install, capability: str, *, here: bool) -> None:
    install("rtx")
    with pytest.raises(UsageError, match=f"does not build for compute capability {capability}") as caught:
        check_target(find_library(), capability, here=here)
    assert "8.0, 8.6, 8.9, 12.0" in str(caught.value.hint)


def test_a_card_newer_than_all_is_built_for_where_it_is(install: Install, gpu: FakeGpu) -> None:
    install("rtx")
    gpu.capability = (12, 9)
    check_target(find_library(), "12.9", here=True)
    assert built(scaled_onnx(), compute_capability="12.9")["capability"] == [12, 9]


# --- how far it is ---


def test_the_share_of_phases_within_phases() -> None:
    share = BuildShare()
    assert share.start("engine", None, 4) == 0.0
    assert share.step("engine", 1) == 0.25
    assert share.start("timing", "engine", 2) == 0.25
    assert share.step("timing", 1) == 0.375
    assert share.finish("timing") == 0.5  # its last step was not told
    assert share.step("engine", 1) == 0.5  # never back
    assert share.finish("engine") == 1.0


@given(
    st.lists(st.tuples(st.sampled_from(["start", "step", "finish"]), st.integers(0, 3), st.integers(0, 9)))
)
def test_a_share_only_grows_whatever_a_builder_does(events: list[tuple[str, int, int]]) -> None:
    share, told = BuildShare(), [0.0]
    for kind, phase, number in events:
        if kind == "start":
            told.append(share.start(f"phase {phase}", f"phase {phase - 1}" if phase else None, number))
        elif kind == "step":
            told.append(share.step(f"phase {phase}", number))
        else:
            told.append(share.finish(f"phase {phase}"))
    assert all(before <= after <= 1.0 for before, after in itertools.pairwise(told))

"""A pick holds for one bundle, one machine and the libraries that it was measured with."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import msgspec
import pytest
from tiny_bundle import tiny_bundle

from device.library_versions import inference_versions
from device.machine import Machine, this_machine
from device.picks import FoundPick, Pick, find_pick, write_pick
from edge_sdk.contract.bundle import Bundle
from edge_sdk.contract.messages import BundleReference
from edge_sdk.errors import EdgeSdkError
from edge_sdk.inference.options import EngineOptions, OnnxOptions, TensorRtOptions

BUNDLE = tiny_bundle(("tflite-float32", "onnx-float32")).bundle()
ELSEWHERE = Machine(
    board="Raspberry Pi 5 Model B Rev 1.0",
    processor="Cortex-A76",
    architecture="aarch64",
    system="Linux",
    processors=4,
)


def pick(**changes: object) -> Pick:
    manifest = BUNDLE.manifest
    made = Pick(
        bundle=BundleReference(name=manifest.name, version=manifest.version, sha256=BUNDLE.sha256),
        variant="onnx-float32",
        backend="onnx",
        median_ms=1.25,
        machine=this_machine(),
        versions=inference_versions(),
    )
    return msgspec.structs.replace(made, **changes)


def test_a_pick_is_found_again_and_says_what_it_is(tmp_path: Path) -> None:
    write_pick(pick(), tmp_path)
    found = find_pick(BUNDLE, tmp_path)
    assert found.choice == ("onnx-float32", "onnx")
    assert found.note == "onnx-float32 on onnx was picked here, 1.25 ms"


def test_a_pick_from_before_settings_were_kept_was_measured_with_the_usual_ones(tmp_path: Path) -> None:
    path = write_pick(pick(), tmp_path)
    older = {name: value for name, value in json.loads(path.read_bytes()).items() if name != "settings"}
    path.write_text(json.dumps(older))
    found = find_pick(BUNDLE, tmp_path).pick
    assert found is not None
    assert found.other_settings(EngineOptions()) is None
    assert found.other_settings(EngineOptions(threads=4)) == "threads = 1, here 4"


def test_where_engines_lie_makes_no_other_settings_and_how_they_run_does() -> None:
    elsewhere = EngineOptions(tensorrt=TensorRtOptions(cache="/var/cache/edge-sdk/engines"))
    by_engine = pick(backend="tensorrt")
    assert by_engine.other_settings(elsewhere) is None
    mapped = EngineOptions(tensorrt=TensorRtOptions(mapped_memory=True))
    assert by_engine.other_settings(mapped) == "tensorrt.mapped_memory = false, here true"


@pytest.mark.parametrize(
    ("backend", "concerns"),
    [
        ("tflite", "threads = 1, here 4"),
        ("onnx", "threads = 1, here 4; onnx.shrink_arena = false, here true"),
        ("tensorrt", "tensorrt.mapped_memory = false, here true"),
    ],
)
def test_only_settings_of_what_was_picked_are_others(backend: str, concerns: str) -> None:
    now = EngineOptions(
        threads=4, onnx=OnnxOptions(shrink_arena=True), tensorrt=TensorRtOptions(mapped_memory=True)
    )
    assert pick(backend=backend).other_settings(now) == concerns


def test_a_device_without_a_pick_has_nothing_to_say(tmp_path: Path) -> None:
    assert find_pick(BUNDLE, tmp_path / "nowhere") == FoundPick()


def test_a_second_pick_takes_the_place_of_the_first_and_nothing_else_is_left(tmp_path: Path) -> None:
    write_pick(pick(), tmp_path)
    path = write_pick(pick(variant="tflite-float32", backend="tflite"), tmp_path)
    assert find_pick(BUNDLE, tmp_path).choice == ("tflite-float32", "tflite")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"machine": ELSEWHERE}, "measured on another machine: Raspberry Pi 5 Model B Rev 1.0, 4 x aarch64"),
        ({"versions": {}}, "not installed, now"),
        ({"versions": {**inference_versions(), "tensorrt": "10.3.0"}}, "tensorrt 10.3.0, now gone"),
        ({"variant": "tflite-int8"}, "the bundle has no such variant"),
    ],
)
def test_a_pick_that_does_not_hold_any_more_is_passed_over_and_told(
    tmp_path: Path, changes: dict[str, object], says: str
) -> None:
    write_pick(pick(**changes), tmp_path)
    found = find_pick(BUNDLE, tmp_path)
    assert found.pick is None
    assert found.note is not None
    assert says in found.note
    assert "`edge-sdk bench BUNDLE --pick` measures again" in found.note


@pytest.mark.parametrize(
    ("version", "says"),
    [("0.0.9", "it is for version 0.0.9, this is 0.1.0"), ("0.1.0", "another file of version 0.1.0")],
)
def test_a_pick_for_another_bundle_of_that_name_is_passed_over_and_told(
    tmp_path: Path, version: str, says: str
) -> None:
    other = BundleReference(name=BUNDLE.manifest.name, version=version, sha256="1" * 64)
    write_pick(pick(bundle=other), tmp_path)
    found = find_pick(BUNDLE, tmp_path)
    assert found.pick is None
    assert says in (found.note or "")


def test_a_pick_for_something_else_altogether_is_nobodys_business(tmp_path: Path) -> None:
    write_pick(pick(bundle=BundleReference(name="frogs", version="1.0.0", sha256="1" * 64)), tmp_path)
    assert find_pick(BUNDLE, tmp_path) == FoundPick()


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b"\xff", b'{"schema_version": 1}'])
def test_a_file_that_is_no_pick_is_passed_over_and_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / f"{BUNDLE.sha256}.json").write_bytes(content)
    found = find_pick(BUNDLE, tmp_path)
    assert found.pick is None
    assert "cannot be read" in (found.note or "")


def test_a_pick_under_another_bundles_name_is_none(tmp_path: Path) -> None:
    path = write_pick(pick(), tmp_path)
    other = Bundle(BUNDLE.path, BUNDLE.manifest, "2" * 64, {})
    path.rename(path.with_name(f"{other.sha256}.json"))
    assert find_pick(other, tmp_path).pick is None


def test_a_folder_that_cannot_be_written_is_an_error_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EdgeSdkError, match="cannot keep the pick") as caught:
        write_pick(pick(), tmp_path / "file" / "picks")
    assert "XDG_STATE_HOME" in (caught.value.hint or "")


def test_the_folder_is_where_state_belongs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    write_pick(pick())
    assert (tmp_path / "edge-sdk" / "picks" / f"{BUNDLE.sha256}.json").is_file()
    assert find_pick(BUNDLE).choice == ("onnx-float32", "onnx")


def test_a_board_is_named_by_itself(tmp_path: Path) -> None:
    (tmp_path / "proc/device-tree").mkdir(parents=True)
    (tmp_path / "proc/device-tree/model").write_bytes(b"NVIDIA Jetson Orin Nano Developer Kit\0")
    assert this_machine(tmp_path).board == "NVIDIA Jetson Orin Nano Developer Kit"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
def test_this_machine_is_the_same_twice() -> None:
    assert this_machine() == this_machine()
    assert this_machine().processors >= 1

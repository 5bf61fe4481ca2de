"""``edge-sdk run`` goes on with what works, and says what does not: on stderr and over MQTT."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from device_run import NOWHERE, StartDevice, offline
from fake_installation import FakeInstallation
from tiny_bundle import TinyBundle, tiny_bundle

from device.library_versions import inference_versions
from device.machine import this_machine
from device.picks import Pick, write_pick
from edge_sdk.contract.bundle import Bundle, file_digest
from edge_sdk.contract.messages import BundleReference
from edge_sdk.inference.options import BackendName


@pytest.fixture(scope="module")
def both_formats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tiny_bundle(("onnx-float32", "tflite-float32"))
    return made.write(tmp_path_factory.mktemp("bundle") / "tones-0.1.0.edge")


@pytest.fixture
def own_folders(tmp_path: Path) -> dict[str, str]:
    """No engine and no pick but those of the test."""
    return {"XDG_CACHE_HOME": str(tmp_path / "cache"), "XDG_STATE_HOME": str(tmp_path / "state")}


def with_content(made: TinyBundle, changed: dict[str, bytes]) -> TinyBundle:
    """A bundle whose digests are right, though its content is not."""
    members = {**made.members, **changed}
    files = {name: file_digest(content) for name, content in members.items()}
    variants = [
        msgspec.structs.replace(variant, sha256=files[variant.file].sha256, bytes=files[variant.file].bytes)
        for variant in made.manifest.variants
    ]
    return TinyBundle(msgspec.structs.replace(made.manifest, files=files, variants=variants), members)


def test_a_variant_that_computes_something_else_here_is_passed_over_for_the_next(
    run_device_process: StartDevice, two_tones: Path, tmp_path: Path, own_folders: dict[str, str]
) -> None:
    made = tiny_bundle(("tflite-float32", "onnx-float32"))
    swapped = made.members["golden/tflite-float32.npy"]
    swapped = swapped[:-12] + swapped[-8:-4] + swapped[-12:-8] + swapped[-4:]  # two labels exchanged
    bundle = with_content(made, {"golden/tflite-float32.npy": swapped}).write(tmp_path / "off.edge")
    words = offline(two_tones, tmp_path)
    wanted = ["--backend", "tflite", "--backend", "onnx", "--json"]
    done = run_device_process(bundle, *words, *wanted, environment=own_folders).finished()
    assert done.code == 0, done.err
    assert done.document["variant"] == "onnx-float32"
    assert [one["variant"] for one in done.document["refused"]] == ["tflite-float32"]
    assert "fails its golden samples: sample 3, label" in done.err


def test_where_nothing_works_nothing_is_heard_and_each_reason_is_told(
    run_device_process: StartDevice, two_tones: Path, tmp_path: Path, own_folders: dict[str, str]
) -> None:
    (tmp_path / "installed").mkdir()
    installation = FakeInstallation(tmp_path / "installed")
    installation.install("10.3", driver=0, count=0)
    made = tiny_bundle(("tflite-float32", "onnx-float32"))
    broken = {"models/tflite-float32.tflite": b"no model", "models/onnx-float32.onnx": b"none either"}
    bundle = with_content(made, broken).write(tmp_path / "broken.edge")
    words = offline(two_tones, tmp_path)
    wanted = ["--backend", "tensorrt", "--backend", "tflite", "--backend", "onnx"]
    environment = own_folders | {"PYTHONPATH": installation.search_path}
    done = run_device_process(bundle, *words, *wanted, "--json", environment=environment).finished()
    assert done.code == 1
    assert done.document["error"] == "BackendError"
    message = done.document["message"]
    assert "onnx-float32 on tensorrt: " in message
    assert "tflite-float32 on tflite: TFLite cannot load" in message
    assert "onnx-float32 on onnx: ONNX Runtime cannot load" in message
    assert not (tmp_path / "outbox").exists()


def pick_tflite(bundle: Path, own_folders: dict[str, str], versions: dict[str, str]) -> None:
    opened = Bundle.open(bundle)
    reference = BundleReference(name="tones", version=opened.manifest.version, sha256=opened.sha256)
    pick = Pick(
        bundle=reference,
        variant="tflite-float32",
        backend="tflite",
        median_ms=0.5,
        machine=this_machine(),
        versions=versions,
    )
    write_pick(pick, Path(own_folders["XDG_STATE_HOME"]) / "edge-sdk" / "picks")


@pytest.mark.parametrize("verb", ["run", "predict"])
def test_what_was_fastest_here_is_run_and_that_is_said(
    run_device_process: StartDevice,
    both_formats: Path,
    two_tones: Path,
    tmp_path: Path,
    own_folders: dict[str, str],
    verb: str,
) -> None:
    pick_tflite(both_formats, own_folders, inference_versions())
    words: list[object] = [both_formats, "--json"]
    if verb == "run":
        words += ["--source", two_tones, "--broker", NOWHERE, "--drain-s", "0"]
        words += ["--outbox", tmp_path / "outbox"]
    else:
        words += [two_tones]
    done = run_device_process(*words, verb=verb, environment=own_folders).finished()
    assert done.code == 0, done.err
    assert (done.document["variant"], done.document["backend"]) == ("tflite-float32", "tflite")
    assert "tflite-float32 on tflite was picked here, 0.5 ms" in done.err


def test_a_pick_of_other_libraries_is_passed_over_and_that_is_said(
    run_device_process: StartDevice, both_formats: Path, two_tones: Path, own_folders: dict[str, str]
) -> None:
    pick_tflite(both_formats, own_folders, {**inference_versions(), "onnxruntime": "1.0.0"})
    words = [both_formats, two_tones, "--summary", "--json"]
    done = run_device_process(*words, verb="predict", environment=own_folders).finished()
    assert done.code == 0, done.err
    assert done.document["variant"] == "onnx-float32"
    assert "is passed over: it was measured with onnxruntime 1.0.0" in done.err


def test_a_stale_pick_is_told_too_where_backends_are_named(
    run_device_process: StartDevice, both_formats: Path, two_tones: Path, own_folders: dict[str, str]
) -> None:
    pick_tflite(both_formats, own_folders, {**inference_versions(), "onnxruntime": "1.0.0"})
    words = [both_formats, two_tones, "--summary", "--json", "--backend", "tflite"]
    done = run_device_process(*words, verb="predict", environment=own_folders).finished()
    assert done.code == 0, done.err
    assert "is passed over: it was measured with onnxruntime 1.0.0" in done.err


def test_a_pick_is_told_where_its_backend_is_named_and_not_where_another_is(
    run_device_process: StartDevice, both_formats: Path, two_tones: Path, own_folders: dict[str, str]
) -> None:
    pick_tflite(both_formats, own_folders, inference_versions())
    for backend, is_told in (("tflite", True), ("onnx", False)):
        words = [both_formats, two_tones, "--summary", "--json", "--backend", backend]
        done = run_device_process(*words, verb="predict", environment=own_folders).finished()
        assert done.code == 0, done.err
        assert ("was picked here" in done.err) is is_told


def test_a_pick_that_was_measured_with_other_settings_is_run_with_a_warning(
    run_device_process: StartDevice,
    both_formats: Path,
    two_tones: Path,
    tmp_path: Path,
    own_folders: dict[str, str],
) -> None:
    pick_tflite(both_formats, own_folders, inference_versions())
    config = tmp_path / "box.toml"
    config.write_text(
        f'bundle = "{both_formats}"\nsource = "{two_tones}"\n[broker]\nurl = "{NOWHERE}"\n'
        '[outbox]\nfolder = "outbox"\n[inference]\nthreads = 2\n',
        encoding="utf-8",
    )
    done = run_device_process(config, "--json", "--drain-s", "0", environment=own_folders).finished()
    assert (done.code, done.document["variant"]) == (0, "tflite-float32"), done.err
    assert (
        "the pick, tflite-float32 on tflite, was measured with other settings: threads = 1, here 2"
        in done.err
    )
    as_picked = [config, "--threads", "1", "--json", "--drain-s", "0"]
    assert "other settings" not in run_device_process(*as_picked, environment=own_folders).finished().err


@pytest.mark.parametrize("backend", ["onnx", "tflite"])
def test_a_configuration_orders_the_backends(
    run_device_process: StartDevice,
    both_formats: Path,
    two_tones: Path,
    tmp_path: Path,
    own_folders: dict[str, str],
    backend: BackendName,
) -> None:
    other = "tflite" if backend == "onnx" else "onnx"
    config = tmp_path / "box.toml"
    config.write_text(
        f'bundle = "{both_formats}"\nsource = "{two_tones}"\n[broker]\nurl = "{NOWHERE}"\n'
        f'[outbox]\nfolder = "outbox"\n[inference]\nbackends = ["{backend}", "{other}"]\nthreads = 2\n'
        '[inference.onnx]\nproviders = ["cpu"]\nmemory_arena = false\n',
        encoding="utf-8",
    )
    done = run_device_process(config, "--json", "--drain-s", "0", environment=own_folders).finished()
    assert done.code == 0, done.err
    assert (done.document["backend"], done.document["refused"]) == (backend, [])
    assert done.document["events"] == {"low": 1, "high": 1}


def test_a_backend_that_runs_nothing_of_the_bundle_is_wrong_use(
    run_device_process: StartDevice, tones_bundle: Path, two_tones: Path
) -> None:
    words = ["--source", two_tones, "--broker", NOWHERE, "--backend", "onnx", "--json"]
    done = run_device_process(tones_bundle, *words).finished()
    assert done.code == 2
    assert "does not run on 'onnx'" in done.document["message"]
    assert Bundle.open(tones_bundle).manifest.name in done.document["message"]

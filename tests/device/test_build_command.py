"""``edge-sdk build``: an engine of each ONNX variant, what became of each, and what the exit code says."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from fake_cuda_bindings import fake_cuda_bindings
from fake_gpu import FakeGpu
from fake_installation import FakeInstallation
from fake_tensorrt import fake_tensorrt
from gpu_onnx import unknown_onnx
from tiny_bundle import TinyBundle, tiny_bundle
from verb_done import Done

from edge_sdk.cli.main import main
from edge_sdk.contract.bundle import Bundle, file_digest
from edge_sdk.inference.engine import EngineBackend
from edge_sdk.inference.golden import run_golden
from edge_sdk.inference.tensorrt.open import open_engine


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Tones, as TFLite and as ONNX."""
    return tiny_bundle(("tflite-float32", "onnx-float32")).write(tmp_path / "tones-0.1.0.edge")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "engines"


def report(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, dict[str, Any]]:
    """Exit code and document of the verb."""
    done = Done(capsys, "build", *words)
    return done.code, done.document


def with_unknown_operator(made: TinyBundle) -> TinyBundle:
    """The bundle with one more ONNX variant, which no TensorRT takes."""
    manifest, model = made.manifest, unknown_onnx()
    digest = file_digest(model)
    variant = msgspec.structs.replace(
        manifest.variant("onnx-float32"),
        name="onnx-odd",
        file="models/onnx-odd.onnx",
        sha256=digest.sha256,
        bytes=digest.bytes,
    )
    stage = manifest.stages[0]
    return TinyBundle(
        msgspec.structs.replace(
            manifest,
            variants=[variant, *manifest.variants],
            stages=[msgspec.structs.replace(stage, variants=["onnx-odd", *stage.variants])],
            files={**manifest.files, variant.file: digest},
        ),
        {**made.members, variant.file: model},
    )


def with_other_weights(made: TinyBundle) -> TinyBundle:
    """The next version of the bundle, as far as an engine can tell."""
    manifest, name = made.manifest, "models/onnx-float32.onnx"
    model = made.members[name].replace(np.float32(12.0).tobytes(), np.float32(-12.0).tobytes())
    assert model != made.members[name]
    digest = file_digest(model)
    variants = [
        msgspec.structs.replace(one, sha256=digest.sha256, bytes=digest.bytes) for one in manifest.variants
    ]
    files = {**manifest.files, name: digest}
    return TinyBundle(
        msgspec.structs.replace(manifest, variants=variants, files=files), {**made.members, name: model}
    )


def test_the_engine_that_was_built_passes_the_golden_test(
    fake_jetson: FakeInstallation,
    bundle: Path,
    cache: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code, document = report(capsys, bundle, "--cache", cache)
    (variant,) = document["variants"]
    assert (code, document["passed"]) == (0, True)
    assert (variant["variant"], variant["status"], variant["ran_here"]) == ("onnx-float32", "built", True)
    assert variant["fingerprint"]["board"] == "Orin"
    gpu = FakeGpu()
    monkeypatch.setitem(sys.modules, "tensorrt", fake_tensorrt("10.3", gpu))
    monkeypatch.setitem(sys.modules, "cuda.bindings.runtime", fake_cuda_bindings(gpu))
    opened = Bundle.open(bundle)
    model = opened.read(opened.manifest.variant("onnx-float32").file)
    with EngineBackend("onnx-float32", open_engine(model, name="onnx-float32", cache=cache)) as backend:
        assert run_golden(opened, "onnx-float32", backend).passed


def test_it_says_for_whom_and_by_what(
    fake_jetson: FakeInstallation, bundle: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", str(bundle), "--cache", str(cache)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"tones 0.1.0: engines in {cache}"
    variant, status, _megabytes, _seconds, ran_here, *rest = lines[-1].split()
    assert (variant, status, ran_here) == ("onnx-float32", "built", "yes")
    assert rest == ["Orin", "TensorRT", "10.3.0"]
    assert main(["build", str(bundle), "--cache", str(cache)]) == 0
    assert "found" in capsys.readouterr().out


def test_progress_goes_to_standard_error(
    fake_jetson: FakeInstallation, bundle: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["build", str(bundle), "--cache", str(cache), "--json"])
    assert "onnx-float32: trying it" in capsys.readouterr().err


def test_an_engine_of_an_older_tensorrt_gives_way_and_is_told(
    fake_jetson: FakeInstallation, bundle: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, before = report(capsys, bundle, "--cache", cache)
    fake_jetson.install("11.4")
    assert main(["build", str(bundle), "--cache", str(cache)]) == 0
    assert "1 removed: of an older model, TensorRT or driver" in capsys.readouterr().out
    assert not Path(before["variants"][0]["file"]).exists()


def test_the_engine_of_a_newer_model_takes_the_place_of_the_older_ones(
    fake_jetson: FakeInstallation, tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    older = tiny_bundle(("onnx-float32",))
    _, before = report(capsys, older.write(tmp_path / "tones.edge"), "--cache", cache)
    code, after = report(capsys, with_other_weights(older).write(tmp_path / "tones.edge"), "--cache", cache)
    (new,) = after["variants"]
    assert (code, new["status"]) == (0, "built")
    assert new["removed"] == [before["variants"][0]["file"]]
    assert [str(path) for path in cache.glob("*.engine")] == [new["file"]]
    assert len(list(cache.glob("*.tried"))) == 1


def test_a_variant_that_is_refused_does_not_keep_the_others(
    fake_jetson: FakeInstallation, tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = with_unknown_operator(tiny_bundle(("onnx-float32",)))
    path = made.write(tmp_path / "odd-0.1.0.edge")
    code, document = report(capsys, path, "--cache", cache)
    odd, good = document["variants"]
    assert (code, document["passed"]) == (1, False)
    assert (odd["status"], good["status"]) == ("refused", "built")
    assert odd["refusals"] == [{"operator": "MelWeightMatrix", "node": "mel", "reason": "unsupported node"}]
    assert main(["build", str(path), "--cache", str(cache)]) == 1
    told = capsys.readouterr().out
    assert "MelWeightMatrix 'mel': unsupported node" in told
    assert "\nhint: ONNX Runtime runs it all the same; for TensorRT export the model without Mel" in told


def test_what_keeps_every_variant_from_being_built_is_told_once(
    fake_jetson: FakeInstallation, tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_jetson.install("10.3", driver=0)
    two = with_unknown_operator(tiny_bundle(("onnx-float32",)))
    assert main(["build", str(two.write(tmp_path / "two-0.1.0.edge")), "--cache", str(cache)]) == 1
    told = capsys.readouterr().out
    names = ", ".join(variant.name for variant in two.manifest.variants)
    assert f"\n{names} failed: cudaDriverGetVersion: there is no NVIDIA driver\nhint: " in told
    assert told.count("no NVIDIA driver") == 1


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("no_context", "OutOfMemory"),
        ("no_run", "failed to run tones/onnx-float32"),
        ("kill:build_serialized_network", "was killed"),
    ],
)
def test_an_engine_that_cannot_be_built_or_does_not_run_is_a_failure_with_a_hint(
    fake_jetson: FakeInstallation,
    bundle: Path,
    cache: Path,
    capsys: pytest.CaptureFixture[str],
    behaviour: str,
    reason: str,
) -> None:
    fake_jetson.install("10.3", behaviour=behaviour)
    code, document = report(capsys, bundle, "--cache", cache)
    (variant,) = document["variants"]
    assert (code, variant["status"]) == (1, "failed")
    assert reason in variant["reason"]
    assert variant["hint"]


def test_too_little_memory_is_refused_and_can_be_overruled(
    fake_jetson: FakeInstallation, bundle: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_jetson.install("10.3", integrated=False, memory_bytes=800_000_000)
    assert main(["build", str(bundle), "--cache", str(cache)]) == 1
    out = capsys.readouterr().out
    assert "the GPU has 800 MB free" in out
    assert "--skip-memory-check" in out
    assert main(["build", str(bundle), "--cache", str(cache), "--skip-memory-check"]) == 0


def test_a_bundle_without_onnx_is_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tiny_bundle(("tflite-float32",)).write(tmp_path / "tones-0.1.0.edge")
    code, document = report(capsys, path)
    assert code == 2
    assert "has no ONNX variant" in document["message"]
    assert "--variants onnx-float32,onnx-float16,onnx-int8 --calibration DIR" in document["hint"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--variant", "tflite-float32"], "engines are built of ONNX"),
        (["--variant", "onnx-int4"], "has no variant 'onnx-int4'"),
        (["--for", "orin"], "neither 'this' nor a compute capability"),
        (["--workspace-mb", "0"], "0 is not a whole number of at least 1"),
        (["--cache", ""], "the name of the folder is empty"),
    ],
)
def test_what_cannot_be_meant_is_wrong_use(
    bundle: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    code, document = report(capsys, bundle, *words)
    assert code == 2
    assert message in document["message"]


def test_without_any_tensorrt_the_hint_tells_where_it_comes_from(
    bundle: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("tensorrt", "tensorrt_rtx", "tensorrt_rtx_bindings"):
        monkeypatch.setitem(sys.modules, name, None)
    code, document = report(capsys, bundle)
    assert (code, document["error"]) == (2, "MissingExtraError")
    assert "JetPack" in document["hint"]

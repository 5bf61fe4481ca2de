"""``edge-sdk bench`` measures what could run here, and keeps the fastest that passes if it is told to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from example_contract import npy
from fake_installation import FakeInstallation
from tiny_bundle import TinyBundle, tiny_bundle
from tiny_pictures import color_bundle, thing_bundle

from device import bench_command
from device.bench.messages import Figures, Measured
from device.bench.noise import within_noise
from device.bench.table import bench_table
from device.choice_status import Status
from device.picks import find_pick
from edge_sdk.cli.main import main
from edge_sdk.contract.bundle import Bundle, file_digest
from edge_sdk.inference import choice as choice_module

MADE = tiny_bundle(("tflite-float32", "onnx-float32"))
QUICK = ("--seconds", "0.02", "--threads", "1")


@pytest.fixture(autouse=True)
def without_tensorrt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(choice_module, "backend_installed", lambda backend: backend != "tensorrt")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return MADE.write(tmp_path / "tones.edge")


def with_other_scores(made: TinyBundle, *names: str) -> TinyBundle:
    """A bundle in which these variants should have answered something else."""
    other = npy(np.full((4, 3), 0.5, dtype=np.float32))
    members = {**made.members, **{f"golden/{name}.npy": other for name in names}}
    files = {name: file_digest(content) for name, content in members.items()}
    return replace(made, manifest=msgspec.structs.replace(made.manifest, files=files), members=members)


def benched(path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, Any]]:
    code = main(["bench", str(path), *QUICK, "--json", *options])
    return code, json.loads(capsys.readouterr().out)


def test_every_choice_is_measured(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, document = benched(bundle, capsys, "--threads", "3")
    assert code == 0
    assert [(one["variant"], one["backend"], one["status"]) for one in document["results"]] == [
        ("tflite-float32", "tflite", "passed"),
        ("onnx-float32", "onnx", "passed"),
    ]
    for one in document["results"]:
        assert list(one["figures"]["per_s"]) == ["1", "2", "3"]
        assert one["golden"]["passed"]
    assert document["threads"] == [1, 2, 3]
    assert document["machine"]["processors"] >= 1
    assert document["versions"]["onnxruntime"]
    assert document["picked"] is False
    fastest = min(document["results"], key=lambda one: one["figures"]["median_ms"])
    assert document["fastest"] == {"variant": fastest["variant"], "backend": fastest["backend"]}
    assert find_pick(Bundle.open(bundle)).pick is None


@pytest.mark.parametrize("made", [color_bundle(), thing_bundle()], ids=["classifier", "detector"])
def test_pictures_are_measured_too(
    made: TinyBundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, document = benched(made.write(tmp_path / "pictures.edge"), capsys)
    assert code == 0
    assert [one["status"] for one in document["results"]] == ["passed"]


def test_the_fastest_that_passes_is_picked_and_not_the_fastest_of_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = with_other_scores(MADE, "tflite-float32").write(tmp_path / "off.edge")
    code, document = benched(path, capsys, "--pick")
    assert code == 0
    assert [one["status"] for one in document["results"]] == ["failed", "passed"]
    assert "edge-sdk verify" in document["results"][0]["hint"]
    assert document["results"][0]["figures"] is not None
    assert document["picked"] is True
    assert find_pick(Bundle.open(path)).choice == ("onnx-float32", "onnx")


def test_where_nothing_passes_nothing_is_picked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = with_other_scores(MADE, "tflite-float32", "onnx-float32").write(tmp_path / "off.edge")
    code, document = benched(path, capsys, "--pick")
    assert (code, document["picked"], document["error"]) == (1, False, "VerificationError")
    assert [one["figures"]["n"] >= 10 for one in document["results"]] == [True, True]
    assert find_pick(Bundle.open(path)).pick is None
    code, document = benched(path, capsys)
    assert (code, document["fastest"]) == (1, None)
    assert "error" not in document


def test_a_pick_that_cannot_be_kept_costs_no_measurement(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    code, document = benched(bundle, capsys, "--backend", "onnx", "--pick")
    assert (code, document["picked"]) == (1, False)
    assert "cannot keep the pick in" in document["message"]
    assert "XDG_STATE_HOME" in document["hint"]
    assert document["fastest"] == {"variant": "onnx-float32", "backend": "onnx"}
    assert document["results"][0]["figures"]["median_ms"] > 0
    assert main(["bench", str(bundle), *QUICK, "--backend", "onnx", "--pick"]) == 1
    shown = capsys.readouterr()
    assert "onnx-float32" in shown.out
    assert "cannot keep the pick in" in shown.err


def test_one_choice_can_be_measured(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, document = benched(bundle, capsys, "--backend", "onnx")
    assert code == 0
    assert [one["variant"] for one in document["results"]] == ["onnx-float32"]
    code, document = benched(bundle, capsys, "--backend", "onnx", "--variant", "tflite-float32")
    assert (code, document["error"]) == (2, "UsageError")


def test_where_nothing_can_be_run_nothing_was_measured(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "onnxruntime.py").write_text("raise ModuleNotFoundError('x', name='onnxruntime')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    code, document = benched(bundle, capsys, "--backend", "onnx")
    assert code == 2
    assert [one["status"] for one in document["results"]] == ["not_run"]
    code, document = benched(bundle, capsys, "--backend", "onnx", "--pick")
    assert (code, document["error"]) == (2, "UsageError")
    assert main(["bench", str(bundle), *QUICK, "--backend", "onnx"]) == 2
    assert "nothing was measured: what could run it is not here" in capsys.readouterr().out
    assert "no variant can be run here" in document["message"]


def test_where_an_engine_alone_is_missing_that_is_no_wrong_use(
    bundle: Path, fake_jetson: FakeInstallation, capsys: pytest.CaptureFixture[str]
) -> None:
    code, document = benched(bundle, capsys, "--backend", "tensorrt")
    assert code == 1
    assert [(one["status"], one["error"]) for one in document["results"]] == [
        ("not_run", "BackendUnavailableError")
    ]
    code = main(["bench", str(bundle), *QUICK, "--backend", "tensorrt", "--pick", "--json"])
    shown = capsys.readouterr()
    assert (code, json.loads(shown.out)["error"]) == (1, "BackendUnavailableError")
    assert "error: nothing in " in shown.err
    assert "no variant can be run here\nhint: " in shown.err


def test_a_fast_variant_that_decides_less_like_the_trained_model_is_told_beside_the_preferred_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hasty = [
        msgspec.structs.replace(variant, agreement=0.97) if variant.format == "onnx" else variant
        for variant in MADE.manifest.variants
    ]
    made = replace(MADE, manifest=msgspec.structs.replace(MADE.manifest, variants=hasty))
    path = made.write(tmp_path / "hasty.edge")
    assert main(["bench", str(path), *QUICK, "--backend", "onnx", "--pick"]) == 0
    assert (
        "it decided 97.00% as the trained model does, tflite-float32, which the bundle prefers, 100.00%"
        in capsys.readouterr().out
    )
    assert main(["bench", str(path), *QUICK, "--backend", "tflite", "--pick"]) == 0
    assert "note:" not in capsys.readouterr().out


def test_people_get_a_table_and_the_reason_for_each_dash(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", str(bundle), *QUICK, "--pick"]) == 0
    shown = capsys.readouterr()
    assert "variant" in shown.out
    assert "energy: " in shown.out
    assert "picked: " in shown.out
    assert "measuring: 0 of 2" in shown.err
    assert max(map(len, shown.out.splitlines())) <= 110


def test_a_reason_that_several_share_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = with_other_scores(tiny_bundle(("tflite-float32", "tflite-int8")), "tflite-float32", "tflite-int8")
    assert main(["bench", str(path.write(tmp_path / "off.edge")), *QUICK]) == 1
    told = capsys.readouterr().out
    assert "\ntflite-float32, tflite-int8 on tflite failed: it computes something else here" in told
    assert told.count("it computes something else here") == 1


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "3601", "inf", "long"])
def test_a_time_in_which_nothing_can_be_measured_is_wrong_use(
    seconds: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "any.edge", "--seconds", seconds]) == 2
    told = capsys.readouterr().err
    assert f"'{seconds}' is not a number of seconds, more than 0 and at most 3600" in told


def measured(name: str, *part_medians_ms: float, status: Status = "passed") -> Measured:
    figures = figures_of({"1": 1000.0}, part_medians_ms)
    return Measured(variant=name, backend="onnx", status=status, figures=figures)


def test_what_was_at_times_as_fast_as_the_fastest_is_within_noise_of_it() -> None:
    best = measured("best", 1.0, 1.1, 1.3, 1.0, 1.0)
    alike = measured("alike", 1.5, 1.3, 1.6, 1.5, 1.5)
    others = [
        measured("slower", 1.31, 1.4, 1.4, 1.4, 1.4),
        measured("wrong", 1.0, 1.0, 1.0, 1.0, 1.0, status="failed"),
        Measured(variant="none", backend="onnx", status="not_run", reason="no library"),
    ]
    assert within_noise(best, [best, alike, *others]) == [alike]
    assert within_noise(best, [best, *others]) == []


def test_variants_within_noise_are_told(
    bundle: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"tflite": measured("tflite-float32", 1.0, 1.2), "onnx": measured("onnx-float32", 1.1, 1.3)}
    monkeypatch.setattr(bench_command, "measure_in_process", lambda asked, _: told[asked.backend])
    assert main(["bench", str(bundle)]) == 0
    assert "\nnote: within noise of it: onnx-float32 on onnx\n" in capsys.readouterr().out
    _, document = benched(bundle, capsys)
    assert document["within_noise"] == [{"variant": "onnx-float32", "backend": "onnx"}]


def figures_of(per_s: dict[str, float], part_medians_ms: Sequence[float] = ()) -> Figures:
    return Figures(
        load_ms=12_345.6,
        first_ms=1234.5,
        median_ms=min(part_medians_ms, default=123.4),
        part_medians_ms=list(part_medians_ms),
        p99_ms=234.5,
        n=100,
        per_s=per_s,
        peak_memory_mib=1234.5,
        added_memory_mib=1200.0,
        energy_mj=1234.5,
    )


def test_the_table_fits_a_hundred_columns_with_64_threads() -> None:
    threads = figures_of({str(2**exponent): 1000.0 + exponent for exponent in range(7)})
    gpu = figures_of({"1": 2500.0})
    lines = bench_table(
        [
            Measured(variant="tflite-float32", backend="tflite", status="passed", figures=threads),
            Measured(variant="onnx-float16", backend="tensorrt", status="passed", figures=gpu),
            Measured(variant="onnx-int8", backend="onnx", status="not_run", reason="no library"),
        ]
    ).splitlines()
    assert max(map(len, lines)) <= 100
    start = next(place for place, line in enumerate(lines) if line.startswith("per s, threads:"))
    assert lines[start].split()[-7:] == ["1", "2", "4", "8", "16", "32", "64"]
    assert lines[start + 2].split()[-7:] == [str(1000 + exponent) for exponent in range(7)]
    assert lines[start + 3].split()[-7:] == ["2500", *"------"]


def test_the_table_fits_a_hundred_columns_with_four_numbers_of_threads() -> None:
    figures = figures_of({"1": 8.123, "2": 15.99, "4": 31.5, "6": 1000.0})
    row = Measured(variant="tflite-float32", backend="tflite", status="passed", figures=figures)
    lacking = Measured(variant="onnx-float16", backend="tensorrt", status="not_run", reason="no engine")
    table = bench_table([row, lacking]).splitlines()
    assert max(map(len, table)) <= 100
    assert "8.12 / 16.0 / 31.5 / 1000" in table[2]
    assert table[3].split() == ["onnx-float16", "tensorrt", "not", "run", *"-------"]

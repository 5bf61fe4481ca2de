"""What ``edge-sdk run`` cannot work with: refused before anything is made, or told after what came before."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import numpy as np
import pytest
from device_run import NOWHERE, StartDevice, configured, offline, written
from tiny_bundle import RATE, TinyBundle, tiny_bundle, tone

from edge_sdk.contract.bundle import file_digest


def test_a_rule_for_an_unknown_label_is_wrong_use(
    run_device_process: StartDevice, tones_bundle: Path, two_tones: Path, tmp_path: Path
) -> None:
    config = configured(tmp_path, tones_bundle, two_tones, "[rules.chainsaw]\nthreshold = 1.0")
    done = run_device_process(config, "--json").finished()
    assert done.code == 2
    assert "rules.chainsaw" in done.document["message"]
    assert not (tmp_path / "outbox").exists()


def test_a_typo_in_the_configuration_is_wrong_use(run_device_process: StartDevice, tmp_path: Path) -> None:
    config = tmp_path / "box.toml"
    config.write_text('bundel = "x.edge"\n', encoding="utf-8")
    done = run_device_process(config).finished()
    assert done.code == 2
    assert "did you mean 'bundle'?" in done.err


def test_a_misspelt_variant_is_told_with_who_asked_for_it(
    run_device_process: StartDevice, tones_bundle: Path, two_tones: Path, tmp_path: Path
) -> None:
    config = configured(tmp_path, tones_bundle, two_tones, '[inference]\nvariant = "tflite-flaot32"')
    done = run_device_process(config, "--json").finished()
    assert (done.code, done.document["error"]) == (2, "ConfigError")
    message = f"{config}: inference.variant: bundle tones has no variant 'tflite-flaot32'"
    assert (done.document["message"], done.document["hint"]) == (message, "did you mean 'tflite-float32'?")
    by_option = run_device_process(config, "--json", "--variant", "other").finished()
    assert by_option.document["message"] == "bundle tones has no variant 'other'"
    assert not (tmp_path / "outbox").exists()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.wav", b"", "empty"),
        ("text.wav", b"no sound " * 100, "cannot be read as sound"),
    ],
)
def test_a_source_that_is_no_sound_is_refused_before_anything_is_made(
    run_device_process: StartDevice, tones_bundle: Path, tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(content)
    words = offline(tmp_path / name, tmp_path)
    done = run_device_process(tones_bundle, *words, "--json").finished()
    assert done.code == 1
    assert says in done.document["message"]
    assert not (tmp_path / "outbox").exists()


def test_one_sample_is_no_silence(
    run_device_process: StartDevice, tones_bundle: Path, tmp_path: Path
) -> None:
    source = written(tmp_path / "click.wav", np.ones(1, np.float32))
    words = offline(source, tmp_path)
    done = run_device_process(tones_bundle, *words, "--json").finished()
    assert done.code == 1
    assert "nothing of click.wav could be inspected" in done.document["error"]["message"]
    assert done.document["coverage"]["inspected_s"] == 0


def test_what_is_no_number_ends_the_run_after_what_came_before(
    run_device_process: StartDevice, tones_bundle: Path, tmp_path: Path
) -> None:
    samples = tone(300, 3)
    samples[-1] = np.nan
    words = offline(written(tmp_path / "nan.wav", samples), tmp_path)
    done = run_device_process(tones_bundle, *words, "--json").finished()
    assert done.code == 1
    assert done.document["events"] == {"low": 1}
    assert done.document["coverage"]["faults"] == {"source_failed": 1}
    assert "not a finite number" in done.document["error"]["message"]


def test_a_truncated_file_is_heard_as_far_as_it_goes_and_fails(
    run_device_process: StartDevice, tones_bundle: Path, tmp_path: Path
) -> None:
    source = written(tmp_path / "cut.wav", tone(300, 6), "PCM_16")
    source.write_bytes(source.read_bytes()[: 44 + 3 * RATE * 2])
    words = offline(source, tmp_path)
    done = run_device_process(tones_bundle, *words, "--json").finished()
    assert done.code == 1
    assert done.document["ended"] == "failed"
    assert "truncated" in done.document["error"]["message"]
    assert done.document["events"] == {"low": 1}
    assert done.document["coverage"]["inspected_s"] == pytest.approx(3.0, abs=0.2)


def test_a_damaged_bundle_is_refused(
    run_device_process: StartDevice, tones_bundle: Path, two_tones: Path, tmp_path: Path
) -> None:
    content = bytearray(tones_bundle.read_bytes())
    content[len(content) // 2] ^= 0xFF
    damaged = tmp_path / "damaged.edge"
    damaged.write_bytes(content)
    words = offline(two_tones, tmp_path)
    done = run_device_process(damaged, *words, "--json").finished()
    assert done.code == 1
    assert done.document["error"] in ("BundleError", "DigestError")
    assert not (tmp_path / "outbox").exists()


def test_a_machine_that_computes_something_else_refuses_to_listen(
    run_device_process: StartDevice, two_tones: Path, tmp_path: Path
) -> None:
    """The golden samples of another model: what a swapped label or weight would look like."""
    tiny = tiny_bundle(("tflite-float32",))
    golden = tiny.members["golden/tflite-float32.npy"]
    flipped = golden[:-12] + golden[-8:-4] + golden[-12:-8] + golden[-4:]  # two labels exchanged
    members = {**tiny.members, "golden/tflite-float32.npy": flipped}
    files = {name: file_digest(content) for name, content in members.items()}
    manifest = msgspec.structs.replace(tiny.manifest, files=files)
    bundle = TinyBundle(manifest, members).write(tmp_path / "other.edge")
    words = offline(two_tones, tmp_path)
    done = run_device_process(bundle, *words, "--json").finished()
    assert done.code == 1
    assert done.document["error"] == "VerificationError"
    assert not (tmp_path / "outbox").exists()


def test_a_folder_that_cannot_be_written_is_refused_before_listening(
    run_device_process: StartDevice, tones_bundle: Path, two_tones: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    if os.access(folder, os.W_OK):  # root may write anywhere but below a file
        folder = two_tones
    words = ["--source", two_tones, "--broker", NOWHERE, "--outbox", folder / "outbox"]
    done = run_device_process(tones_bundle, *words, "--json").finished()
    assert done.code == 1
    assert done.document["error"] == "OutboxError"


def test_a_source_for_a_later_release_is_wrong_use(
    run_device_process: StartDevice, tones_bundle: Path
) -> None:
    done = run_device_process(tones_bundle, "--source", "mic://default", "--broker", NOWHERE).finished()
    assert done.code == 2
    assert "not in this release" in done.err

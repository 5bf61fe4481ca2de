"""``edge-sdk inspect`` tells what is in a bundle, to people in seconds and to programs in full."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from example_contract import example_manifest, example_members
from tiny_pictures import thing_bundle

from edge_sdk.cli.main import main
from edge_sdk.contract.bundle import file_digest, write_bundle
from edge_sdk.contract.provenance import Accepted


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "example.edge"
    write_bundle(path, example_manifest(), example_members())
    return path


def test_people_read_labels_rules_variants_and_origin(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", str(bundle)]) == 0
    text = capsys.readouterr().out
    assert "forest-sounds 1.2.0, unsigned" in text
    assert "16000 Hz, window 1 s, step 0.25 s, log-mel (n_fft 512, hop 160, 64 mels 125-7500 Hz)" in text
    gunshot = next(line for line in text.splitlines() if line.startswith("1  gunshot"))
    assert gunshot.split()[-11:] == ["0.8", "0.5", "2", "hits", "in", "2", "s", "1", "s", "30", "s"]
    chainsaw = next(line for line in text.splitlines() if line.startswith("0  chainsaw"))
    assert "no rule: never an event" in chainsaw
    (heading,) = (line for line in text.splitlines() if line.startswith("variant "))
    assert heading.split()[:3] == ["variant", "format", "kB"]
    assert "macro_auc 0.970 [0.900, 0.990] n=80" in text
    assert "\nmax difference: of a score to the trained model's" in text
    assert "\ngolden bound: how far a device may be off the variant's own scores" in text
    assert "forest.keras" in text
    assert "by keras 3.15.1" in text


def test_what_was_accepted_against_the_model_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = example_manifest()
    accepted = Accepted(
        key="color", finding="with color = 'bgr', accuracy is 0.9", reason="so it\nwas trained"
    )
    provenance = msgspec.structs.replace(manifest.provenance, accepted=[accepted])
    path = tmp_path / "accepted.edge"
    write_bundle(path, msgspec.structs.replace(manifest, provenance=provenance), example_members())
    assert main(["inspect", str(path)]) == 0
    line = "accepted in the spec (color: so it\ufffdwas trained): with color = 'bgr', accuracy is 0.9"
    assert line in capsys.readouterr().out.splitlines()


def test_a_bundle_cannot_command_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = example_manifest()
    labels = [msgspec.structs.replace(manifest.labels[0], name="saw\x1b[2J\nrow"), *manifest.labels[1:]]
    evil = msgspec.structs.replace(manifest, labels=labels, description="\x1b[31mevil\x1b]0;x\x07\nsigned")
    path = tmp_path / "evil.edge"
    write_bundle(path, evil, example_members())
    assert main(["inspect", str(path)]) == 0
    text = capsys.readouterr().out
    assert not [character for character in text if ord(character) < 32 and character != "\n"]
    assert "\n\ufffd[31mevil\ufffd]0;x\ufffd signed\n" in text
    assert "saw\ufffd[2J\ufffdrow" in text


def test_programs_read_the_whole_manifest(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(bundle), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["sha256"] == file_digest(bundle.read_bytes()).sha256
    assert report["signed"] is False
    assert report["manifest"] == json.loads(msgspec.json.encode(example_manifest()))


def test_damaged_bundle_is_an_error_of_one_line(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = bytearray(bundle.read_bytes())
    content[content.find(b"not a model")] ^= 1
    bundle.write_bytes(content)
    assert main(["inspect", str(bundle), "--json"]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["error"] == "DigestError"
    assert captured.err.startswith("error: ")


def test_missing_bundle_is_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(tmp_path / "none.edge")]) == 2
    assert "there is no file" in capsys.readouterr().err


def test_people_read_what_a_detector_is_fed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = thing_bundle().write(tmp_path / "things.edge")
    assert main(["inspect", str(bundle)]) == 0
    shown = capsys.readouterr().out
    assert "detect image: 32x32 rgb nchw, stretch (bilinear), (pixel - [0]) / [255]" in shown
    assert "0  red    Red          0.5" in shown

"""The reference pages name every field that the code has."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

import msgspec
import pytest

from converters.spec import audio_table, image_table, rules_table, spec_file
from device.config import load_config
from edge_sdk import errors
from edge_sdk.cli.verbs import VERBS
from edge_sdk.contract import audio, detector, image, manifest, manifest_document, messages
from edge_sdk.inference import options

MESSAGES: list[type[msgspec.Struct]] = [
    messages.Alert,
    messages.Coverage,
    messages.Dropped,
    messages.Probe,
    messages.Receipt,
    messages.Reported,
    messages.Status,
]
DOCUMENTED: dict[str, list[type[msgspec.Struct]]] = {
    "log-mel.md": [audio.LogMel, audio.Waveform],
    "event-rule.md": [manifest.Rule],
    "manifest.md": [
        detector.CandidateBoxes,
        detector.CellCoding,
        detector.CornerCoding,
        detector.DetectionRows,
        detector.DetectionTensors,
        detector.DirectCoding,
        detector.DistanceCoding,
        detector.Grid,
        detector.OffsetCoding,
        detector.Part,
        detector.Scale,
        detector.Suppression,
        image.ImageInput,
        manifest.AudioInput,
        manifest.FrameRule,
        manifest.ExpectedScores,
        manifest.Golden,
        manifest.Label,
        manifest_document.ManifestDocument,
        manifest.Metric,
        manifest.ClassesOutput,
        manifest.Provenance,
        manifest.Stage,
        manifest.Variant,
    ],
    "mqtt.md": [*MESSAGES],
    "onnx-runtime.md": [options.OnnxOptions],
    "spec.md": [
        spec_file.LabelSpec,
        spec_file.ModelSpec,
        rules_table.RuleSpec,
        spec_file.Spec,
        audio_table.AudioSpec,
        audio_table.LogMelSpec,
        image_table.ImageSpec,
    ],
}


@pytest.fixture(scope="module")
def reference(project: Path) -> Path:
    return project / "docs/reference"


@pytest.mark.parametrize(
    ("page", "struct"),
    [(page, struct) for page, structs in DOCUMENTED.items() for struct in structs],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_a_page_names_every_field(reference: Path, page: str, struct: type[msgspec.Struct]) -> None:
    text = (reference / page).read_text("utf-8")
    fields = [field.encode_name for field in msgspec.structs.fields(struct)]
    assert [field for field in fields if f"`{field}`" not in text] == []


def test_the_spec_to_begin_with_holds(project: Path, tmp_path: Path) -> None:
    page = (project / "docs/how-to/write-a-spec.md").read_text("utf-8")
    written = tmp_path / "spec.toml"
    written.write_text(page.split("```toml\n")[1].split("```")[0], "utf-8")
    assert spec_file.load_spec(written).label_ids == ("chainsaw", "gunshot")


def test_the_device_configuration_to_begin_with_holds(project: Path, tmp_path: Path) -> None:
    page = (project / "docs/how-to/run-on-a-device.md").read_text("utf-8")
    written = tmp_path / "config.toml"
    written.write_text(page.split("```toml\n")[1].split("```")[0], "utf-8")
    assert load_config(written).device.name == "box-07"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_listed_with_its_options(reference: Path, verb: str) -> None:
    page = (reference / "cli.md").read_text("utf-8")
    section = page.partition(f"\n## {verb}\n")[2].partition("\n## ")[0]
    parser = argparse.ArgumentParser(add_help=False)
    importlib.import_module(VERBS[verb].module).add_arguments(parser)
    options = [option for action in parser._actions for option in action.option_strings]
    assert [option for option in options if f"`{option}" not in section] == []
    assert f"Extra: `{VERBS[verb].extra}`" in section


def test_every_error_is_listed_with_its_parent_and_exit_code(reference: Path) -> None:
    page = (reference / "errors.md").read_text("utf-8")
    rows = {}
    for line in page.splitlines():
        cells = [cell.strip(" `") for cell in line.strip("|").split("|")]
        if len(cells) == 4:
            rows[cells[0]] = (cells[1], cells[3])
    for name in errors.__all__:
        error = getattr(errors, name)
        parent = "" if error is errors.EdgeSdkError else error.__base__.__name__
        assert rows.get(name) == (parent, str(error.exit_code)), name

"""What devices and servers in the field already send and read, frozen byte for byte.

A failure here means that a change breaks them. If that is meant, raise the schema's version and write
the files anew: ``encode_message(example_messages()[NAME])`` and ``encode_manifest(example_manifest())``.
"""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import msgspec
import pytest
from example_contract import example_detector, example_manifest, example_messages

from edge_sdk.contract.manifest import SCHEMA_VERSION, decode_manifest, encode_manifest
from edge_sdk.contract.messages import ALERT_MAX_BYTES, Reported, decode_message, encode_message
from edge_sdk.contract.schema import schema_documents, write_schemas

GOLDEN = Path(__file__).parent / "golden"
MESSAGES = sorted(example_messages())


@pytest.mark.parametrize("name", MESSAGES)
def test_message_is_encoded_as_in_the_field(name: str) -> None:
    assert encode_message(example_messages()[name]) == (GOLDEN / f"{name}.json").read_bytes()


@pytest.mark.parametrize("name", MESSAGES)
def test_message_from_the_field_is_read_back(name: str) -> None:
    expected = example_messages()[name]
    assert decode_message((GOLDEN / f"{name}.json").read_bytes(), type(expected)) == expected


def test_a_device_that_does_not_tell_its_backend_is_still_read() -> None:
    told = decode_message((GOLDEN / "reported-without-backend.json").read_bytes(), Reported)
    assert (told.variant, told.backend, told.refused) == ("tflite-float32", None, [])


def test_manifest_is_encoded_as_in_the_field() -> None:
    assert encode_manifest(example_manifest()) == (GOLDEN / "manifest.json").read_bytes()


def test_manifest_from_the_field_is_read_back() -> None:
    assert decode_manifest((GOLDEN / "manifest.json").read_bytes()) == example_manifest()


def test_manifest_of_a_detector_is_encoded_as_in_the_field() -> None:
    assert encode_manifest(example_detector()) == (GOLDEN / "detector.json").read_bytes()


def test_manifest_of_a_detector_from_the_field_is_read_back() -> None:
    assert decode_manifest((GOLDEN / "detector.json").read_bytes()) == example_detector()


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_manifest_of_an_earlier_version_is_still_read(version: str) -> None:
    read = decode_manifest((GOLDEN / f"manifest-{version}.json").read_bytes())
    assert msgspec.structs.replace(read, schema_version=SCHEMA_VERSION) == example_manifest()


def test_manifest_of_a_detector_of_an_earlier_version_is_still_read() -> None:
    read = decode_manifest((GOLDEN / "detector-1.2.json").read_bytes())
    assert msgspec.structs.replace(read, schema_version=SCHEMA_VERSION) == example_detector()


def test_manifest_of_a_later_minor_version_is_read_and_its_new_fields_are_ignored() -> None:
    later = json.loads((GOLDEN / "manifest.json").read_bytes())
    later["schema_version"] = "1.7"
    later["colour"] = "green"
    later["labels"][0]["icon"] = "saw"
    later["inputs"][0]["front_end"]["future"] = 1
    read = decode_manifest(json.dumps(later).encode())
    assert msgspec.structs.replace(read, schema_version=SCHEMA_VERSION) == example_manifest()


@pytest.mark.parametrize("name", [*MESSAGES, "manifest", "detector"])
def test_golden_file_holds_to_its_schema(name: str) -> None:
    document = "manifest" if name == "detector" else name
    validator = jsonschema.Draft202012Validator(schema_documents()[document])
    validator.validate(json.loads((GOLDEN / f"{name}.json").read_bytes()))


def test_published_schemas_are_those_of_the_code(project: Path, tmp_path: Path) -> None:
    write_schemas(tmp_path)
    published = project / "docs" / "reference" / "schemas"
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert {path.name: path.read_bytes() for path in published.glob("*.schema.json")} == written


def test_the_largest_alert_fits_into_its_limit() -> None:
    alert = example_messages()["alert"]
    longest = msgspec.structs.replace(
        alert, label="x" * 64, site="s" * 64, device="d" * 64, source="u" * 2000
    )
    assert len(encode_message(longest)) <= ALERT_MAX_BYTES

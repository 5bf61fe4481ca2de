"""A conversion leaves both of its files, or neither."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny_bundle import tiny_bundle

from converters.proof.latency import describe_machine
from converters.report.report_file import Measured
from converters.result_files import check_output, measured_path, write_results
from edge_sdk.contract.bundle import Bundle
from edge_sdk.errors import ConversionError, UsageError


@pytest.fixture
def output(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "x.edge"


def write_tiny(path: Path) -> Bundle:
    return Bundle.open(tiny_bundle(("tflite-float32",)).write(path))


def describe(bundle: Bundle) -> Measured:
    return describe_machine(bundle.sha256, 1, {}, [])


def test_both_files_appear_and_belong_together(output: Path) -> None:
    bundle, measured = write_results(output, write_tiny, describe)
    assert bundle.path == output
    assert sorted(output.parent.iterdir()) == [output, measured_path(output)]
    assert json.loads(measured_path(output).read_bytes())["bundle_sha256"] == bundle.sha256
    assert measured.bundle_sha256 == Bundle.open(output).sha256


def test_measurements_that_cannot_be_put_down_leave_no_bundle(output: Path) -> None:
    def write_and_block(path: Path) -> Bundle:
        measured_path(output).mkdir()
        return write_tiny(path)

    with pytest.raises(ConversionError, match="cannot write"):
        write_results(output, write_and_block, describe)
    assert list(output.parent.iterdir()) == [measured_path(output)]


def test_a_bundle_that_cannot_be_put_down_leaves_no_measurements(output: Path) -> None:
    def write_and_block(path: Path) -> Bundle:
        output.mkdir()
        return write_tiny(path)

    with pytest.raises(ConversionError, match="cannot write"):
        write_results(output, write_and_block, describe, force=True)
    assert list(output.parent.iterdir()) == [output]


def test_where_replacing_fails_the_measurements_are_those_of_before(output: Path) -> None:
    measured_path(output).write_text("before")

    def write_and_block(path: Path) -> Bundle:
        output.mkdir()
        return write_tiny(path)

    with pytest.raises(ConversionError, match="cannot write"):
        write_results(output, write_and_block, describe, force=True)
    assert measured_path(output).read_text() == "before"


def test_a_bundle_that_is_there_is_refused_before_the_work_unless_forced(output: Path) -> None:
    output.write_bytes(b"made with care")
    with pytest.raises(UsageError, match=r"x\.edge is there already") as refused:
        check_output(output)
    assert "--force replaces it" in str(refused.value.hint)
    check_output(output, force=True)
    bundle, _measured = write_results(output, write_tiny, describe, force=True)
    assert Bundle.open(output).sha256 == bundle.sha256


def test_a_bundle_that_appears_during_the_work_is_left_as_it_is(output: Path) -> None:
    def write_beside_another(path: Path) -> Bundle:
        output.write_bytes(b"another conversion's")
        return write_tiny(path)

    with pytest.raises(ConversionError, match="has appeared meanwhile"):
        write_results(output, write_beside_another, describe)
    assert output.read_bytes() == b"another conversion's"
    assert list(output.parent.iterdir()) == [output]


def test_a_folder_in_the_place_of_the_measurements_is_refused_before_the_work(output: Path) -> None:
    measured_path(output).mkdir()
    with pytest.raises(UsageError, match=r"x\.measured\.json is a folder"):
        check_output(output)

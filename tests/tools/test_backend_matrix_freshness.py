"""What the matrix measured is kept as long as it would come out so again."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from tools.backend_matrix import freshness, one_case
from tools.backend_matrix.cases import CASES, Case
from tools.backend_matrix.freshness import LIBRARIES, measurement_digest
from tools.backend_matrix.measure import Row

NO_SAY = {"matplotlib", "paho-mqtt", "rich", "tomli", "typing_extensions"}
"""Pictures of sound, messages, the terminal; and readers of TOML and types for older versions of Python."""


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of one folder."""
    monkeypatch.setattr(freshness, "_ROOT", tmp_path)
    monkeypatch.setattr(freshness, "_MEASURING", ())
    monkeypatch.setattr(freshness, "__file__", str(tmp_path / "tools/freshness.py"))
    folder = tmp_path / "converters"
    folder.mkdir()
    (folder / "a.py").write_text("1")
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "images").mkdir(parents=True)
    (folder / "images/a.png").write_bytes(b"12")
    return folder


def test_the_digest_is_of_the_sources_that_have_a_say(sources: Path, data: Path) -> None:
    before = measurement_digest(data)
    (sources / "notes.md").write_text("2")
    assert measurement_digest(data) == before
    (sources / "a.py").write_text("2")
    changed = measurement_digest(data)
    (sources / "a.py").rename(sources / "b.py")
    assert len({before, changed, measurement_digest(data)}) == 3


@pytest.mark.parametrize("library", LIBRARIES)
def test_another_version_of_a_library_is_another_digest(
    sources: Path, data: Path, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sources.is_dir()
    before, installed = measurement_digest(data), metadata.version

    def other(name: str) -> str:
        return "0.0.1" if name == library else installed(name)

    def missing(name: str) -> str:
        if name == library:
            raise metadata.PackageNotFoundError(name)
        return "0.0.1"

    monkeypatch.setattr(metadata, "version", other)
    updated = measurement_digest(data)
    monkeypatch.setattr(metadata, "version", missing)
    assert len({before, updated, measurement_digest(data)}) == 3


def test_other_data_are_another_digest(sources: Path, data: Path) -> None:
    assert sources.is_dir()
    digests = {measurement_digest(data)}
    (data / "images/a.png").write_bytes(b"123")
    digests.add(measurement_digest(data))
    (data / "images/b.png").write_bytes(b"")
    digests.add(measurement_digest(data))
    (data / "images/b.png").rename(data / "images/c.png")
    digests.add(measurement_digest(data))
    assert len(digests) == 4


@pytest.mark.skipif(
    sys.version_info < (3, 11), reason="Python 3.10 does not know which distribution brings a module"
)
def test_every_library_that_the_sources_import_is_in_the_digest(project: Path) -> None:
    distributions = metadata.packages_distributions()
    folders = ("converters", "edge_sdk", "examples")
    modules = {module for folder in folders for module in imported(project / folder)}
    libraries = modules - set(sys.stdlib_module_names) - {*folders, "device", "tools"}
    of = {module: {name.lower() for name in distributions.get(module, [module])} for module in libraries}
    known = {*LIBRARIES, *(name.replace("-", "_") for name in LIBRARIES), *NO_SAY}
    assert libraries
    assert not {module: names for module, names in of.items() if not names & known}


def imported(folder: Path) -> Iterator[str]:
    """Top-level modules, wherever in a file they are imported."""
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.split(".")[0]


def test_a_model_is_done_without_a_verdict_only_where_there_is_none_to_give(
    tmp_path: Path, data: Path
) -> None:
    (tmp_path / "row.json").touch()
    (tmp_path / "measured_with").write_text(measurement_digest(data))
    done = {name for name in CASES if one_case.is_done(name, data, tmp_path)}
    assert done == {name for name, case in CASES.items() if "random weights" in case.title}


def test_what_was_measured_otherwise_is_measured_anew(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in ("row.json", "gate.json"):
        (tmp_path / file).write_text("stale")
    (tmp_path / "measured_with").write_text("the digest of other sources")
    row = Row(cells={}, samples=1)
    monkeypatch.setitem(CASES, "digits", Case("Digits", "Keras", lambda *_: None, unjudged="x"))  # type: ignore[arg-type]
    monkeypatch.setattr(one_case, "measure", lambda *_: row)
    assert not one_case.is_done("digits", data, tmp_path)
    assert one_case.main(["digits", str(data), str(tmp_path)]) == 0
    assert one_case.read_row(tmp_path) == row
    assert not (tmp_path / "gate.json").exists()
    assert one_case.is_done("digits", data, tmp_path)

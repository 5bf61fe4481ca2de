"""The Python API is what `__all__` lists: a page a package, each name really there."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import pytest

PACKAGES = ["edge_sdk", "edge_sdk.signal", "converters", "device"]
A_PAGE = 40


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_there(package: str) -> None:
    module = importlib.import_module(package)
    missing = [name for name in module.__all__ if not hasattr(module, name)]
    assert missing == []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_submodule_takes_the_place_of_a_public_name(package: str) -> None:
    # Importing `converters.convert` as a module would set the name `convert` to that module.
    names = set(importlib.import_module(package).__all__)
    submodules = {module.name for module in pkgutil.iter_modules(importlib.import_module(package).__path__)}
    assert names & submodules == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_the_list_is_sorted_has_no_doubles_and_fits_a_page(package: str) -> None:
    names = importlib.import_module(package).__all__
    assert 0 < len(names) <= A_PAGE
    assert list(names) == sorted(set(names))


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_documented(package: str) -> None:
    module = importlib.import_module(package)
    undocumented = [name for name in module.__all__ if not getattr(module, name).__doc__]
    assert undocumented == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_name_that_is_not_there_is_an_attribute_error(package: str) -> None:
    module = importlib.import_module(package)
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = module.no_such_name


def test_tests_are_no_packages(project: Path) -> None:
    # With tests/device/__init__.py, pytest would import the tests as `device`.
    assert list((project / "tests").rglob("__init__.py")) == []

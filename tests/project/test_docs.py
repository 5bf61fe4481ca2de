"""What the pages say is so: links lead somewhere, commands and options exist, examples parse."""

from __future__ import annotations

import argparse
import ast
import importlib
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from edge_sdk.cli.verbs import VERBS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT = Path(__file__).resolve().parents[2]
PAGES = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md"), *PROJECT.glob("examples/**/*.md")])

_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
_VERB = re.compile(r"\bedge-sdk ([a-z]+)")


class Command(NamedTuple):
    verb: str
    options: list[str]


def _name(page: Path) -> str:
    return str(page.relative_to(PROJECT))


def _blocks(page: Path, language: str) -> list[str]:
    return [body for tag, body in _FENCE.findall(page.read_text("utf-8")) if tag == language]


def _anchors(page: Path) -> set[str]:
    headings = _HEADING.findall(page.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _commands(page: Path) -> Iterator[Command]:
    for block in _blocks(page, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if "edge-sdk" in words and len(words) > words.index("edge-sdk") + 1:
                verb, *rest = words[words.index("edge-sdk") + 1 :]
                yield Command(verb, [word.partition("=")[0] for word in rest if word.startswith("--")])


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for target in (first or second for first, second in _LINK.findall(page.read_text("utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        if not linked.exists() or (anchor and anchor not in _anchors(linked)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_verb_exists(page: Path) -> None:
    named = set(_VERB.findall("\n".join(_code(page))))
    assert named <= set(VERBS)


def _code(page: Path) -> list[str]:
    text = page.read_text("utf-8")
    return [body for _, body in _FENCE.findall(text)] + re.findall(r"`([^`\n]+)`", _FENCE.sub("", text))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_option_of_a_shown_command_exists(page: Path) -> None:
    unknown = []
    for command in _commands(page):
        if command.verb.startswith("-"):
            continue
        parser = argparse.ArgumentParser()
        importlib.import_module(VERBS[command.verb].module).add_arguments(parser)
        known = {option for action in parser._actions for option in action.option_strings}
        unknown += [f"{command.verb} {option}" for option in command.options if option not in known]
    assert unknown == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_example_parses(page: Path) -> None:
    for block in _blocks(page, "python"):
        ast.parse(block)
    for block in _blocks(page, "toml"):
        tomllib.loads(block)


def test_every_page_can_be_reached_from_the_index() -> None:
    index = PROJECT / "docs/README.md"
    reached, waiting = set(), [index]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        targets = (first for first, _ in _LINK.findall(page.read_text("utf-8")) if ".md" in first)
        waiting += [(page.parent / target.partition("#")[0]).resolve() for target in targets]
    assert [_name(page) for page in PROJECT.glob("docs/**/*.md") if page not in reached] == []

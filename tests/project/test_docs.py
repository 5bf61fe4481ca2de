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

from device.config import load_config
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
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")
_VERB = re.compile(r"\bedge-sdk ([a-z]+)")


class Command(NamedTuple):
    verb: str
    arguments: list[str]


def _name(page: Path) -> str:
    return str(page.relative_to(PROJECT))


def _blocks(page: Path, language: str) -> list[str]:
    return [body for tag, body in _FENCE.findall(page.read_text("utf-8")) if tag == language]


def _inline_code(page: Path) -> list[str]:
    return re.findall(r"`([^`\n]+)`", _FENCE.sub("", page.read_text("utf-8")))


def _code(page: Path) -> list[str]:
    return [body for _, body in _FENCE.findall(page.read_text("utf-8"))] + _inline_code(page)


def _anchors(page: Path) -> set[str]:
    headings = _HEADING.findall(page.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _lines(page: Path) -> Iterator[list[str]]:
    """The words of each command in the page's shell blocks, one simple command at a time."""
    for block in _blocks(page, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            words: list[str] = []
            lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
            lexer.wordchars += "[],$@{}!:%^+"
            for word in lexer:
                if set(word) <= set("|&;<>()"):
                    yield words
                    words = []
                else:
                    words.append(word)
            yield words


def _commands(page: Path) -> Iterator[Command]:
    for words in _lines(page):
        if "edge-sdk" in words and len(words) > words.index("edge-sdk") + 1:
            verb, *arguments = words[words.index("edge-sdk") + 1 :]
            yield Command(verb, arguments)


def _parser(verb: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"edge-sdk {verb}")
    importlib.import_module(VERBS[verb].module).add_arguments(parser)
    return parser


def _options(verb: str) -> set[str]:
    return {option for action in _parser(verb)._actions for option in action.option_strings}


def _options_of_scripts() -> set[str]:
    """Options of examples and benchmarks, as their modules declare them."""
    folders = (PROJECT / "examples", PROJECT / "benchmarks")
    sources = (path.read_text("utf-8") for folder in folders for path in folder.rglob("*.py"))
    return {option for source in sources for option in re.findall(r'add_argument\(\s*"(--[a-z-]+)"', source)}


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


def _is_taken(command: Command) -> bool:
    try:
        _parser(command.verb).parse_args(command.arguments)
    except SystemExit as end:
        return end.code == 0  # --help
    return True


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_shown_command_is_one_that_the_program_takes(page: Path) -> None:
    commands = [command for command in _commands(page) if not command.verb.startswith("-")]
    assert [command for command in commands if not _is_taken(command)] == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_option_in_the_text_exists(page: Path) -> None:
    known = {"--help", "--version"}.union(_options_of_scripts(), *map(_options, VERBS))
    unknown = []
    for code in _inline_code(page):
        verb = _VERB.match(code)
        of_verb = _options(verb[1]) if verb and verb[1] in VERBS else known
        unknown += [option for option in _OPTION.findall(code) if option not in of_verb]
    assert unknown == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_target_of_make_exists(page: Path) -> None:
    makefile = (PROJECT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^(\w+):", makefile, re.MULTILINE))
    shown = [words[1] for words in _lines(page) if words[:1] == ["make"] and len(words) > 1]
    named = re.findall(r"^make (\w+)$", "\n".join(_inline_code(page)), re.MULTILINE)
    assert {*shown, *named} <= targets


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_example_parses(page: Path) -> None:
    for block in _blocks(page, "python"):
        ast.parse(block)
    for block in _blocks(page, "toml"):
        tomllib.loads(block)


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_name_that_an_example_imports_exists(page: Path) -> None:
    imports = [
        node
        for block in _blocks(page, "python")
        for node in ast.walk(ast.parse(block))
        if isinstance(node, ast.ImportFrom) and node.module
    ]
    for node in imports:
        module = importlib.import_module(node.module or "")
        assert [alias.name for alias in node.names if not hasattr(module, alias.name)] == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_device_configuration_holds(page: Path, tmp_path: Path) -> None:
    for block in _blocks(page, "toml"):
        if "broker" in tomllib.loads(block):
            written = tmp_path / "config.toml"
            written.write_text(block, "utf-8")
            load_config(written)


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

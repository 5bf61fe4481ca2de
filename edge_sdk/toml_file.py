"""Reading TOML that people write: unknown keys are refused, and the nearest name is offered."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from .contract.nearest_name import nearest_hint
from .errors import ConfigError, UsageError
from .invalid_value import choices_hint, invalid_value, possible_types

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["PLACEHOLDER", "choices_hint", "load_toml", "placeholders", "refuse_unknown_keys"]

PLACEHOLDER = "FILL IN"
"""Stands in a file that was begun for somebody where only that person knows the value."""

_MOST_NAMED = 8

_StructT = TypeVar("_StructT", bound=msgspec.Struct)


def load_toml(path: Path, struct: type[_StructT], error: type[UsageError]) -> _StructT:
    """Read ``path`` into ``struct``, which must forbid unknown fields all the way down.

    Args:
        path: The TOML file.
        struct: What it must hold.
        error: What to raise, so that a spec and a configuration can be told apart.

    Raises:
        UsageError: As ``error``: the file is missing, is no TOML, has an unknown key (the nearest
            known name is in the hint), lacks a key, or holds a value of the wrong kind; or it is
            something else that is known, such as a model, or a spec for a configuration.
    """
    try:
        return _load(path, struct, error)
    except UsageError as failed:
        from .contract.file_kinds import mistaken_for  # for what goes wrong alone

        mistake = mistaken_for(path, "config" if error is ConfigError else "spec")
        if mistake is None:
            raise
        message, hint = mistake
        raise error(message, hint=hint) from failed


def _load(path: Path, struct: type[_StructT], error: type[UsageError]) -> _StructT:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as missing:
        raise error(f"there is no file {path}") from missing
    except IsADirectoryError as folder:
        raise error(f"{path} is a folder", hint="name the file in it") from folder
    except OSError as unreadable:
        raise error(f"cannot read {path}: {unreadable.strerror or unreadable}") from unreadable
    except UnicodeDecodeError as other:
        raise error(f"{path} is not text in UTF-8", hint="save it as UTF-8") from other
    except tomllib.TOMLDecodeError as malformed:
        raise error(f"{path} is not TOML: {malformed}") from malformed
    left = list(placeholders(document))
    if left:
        named = ", ".join(left[:_MOST_NAMED]) + (", ..." if len(left) > _MOST_NAMED else "")
        raise error(
            f'{path} says "{PLACEHOLDER}" in {len(left)} place{"s" if len(left) > 1 else ""}: {named}',
            hint="only you know these; the line behind each says what is meant",
        )
    refuse_unknown_keys(document, msgspec.inspect.type_info(struct), path, "", error)
    try:
        return msgspec.convert(document, struct)
    except msgspec.ValidationError as invalid:
        wrong = invalid_value(invalid, document, msgspec.inspect.type_info(struct))
        raise error(f"{path}: {wrong.message}", hint=wrong.hint) from invalid


def placeholders(value: Any, where: str = "") -> Iterator[str]:
    """The keys of whatever is still to be filled in, as ``audio.n_fft`` or ``labels.0.id``.

    Args:
        value: A document, or what a key of it holds.
        where: The keys that lead to it.
    """
    inside = f"{where}." if where else ""
    if isinstance(value, str) and value.startswith(PLACEHOLDER):
        yield where
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from placeholders(item, f"{inside}{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from placeholders(item, f"{inside}{index}")


def refuse_unknown_keys(
    value: Any, expected: msgspec.inspect.Type, path: Path, where: str, error: type[UsageError]
) -> None:
    """Walk document and type together; msgspec stops at the first unknown key without a suggestion.

    Args:
        value: What was written.
        expected: What it should be.
        path: The file, for the message.
        where: The keys that lead to ``value``, each with a dot behind it.
        error: What to raise.

    Raises:
        UsageError: As ``error``: a key is unknown; the nearest known name is in the hint.
    """
    if isinstance(expected, msgspec.inspect.UnionType):
        _refuse_in_union(value, expected, path, where, error)
    elif isinstance(expected, msgspec.inspect.StructType) and isinstance(value, dict):
        fields = {field.encode_name: field.type for field in expected.fields}
        allowed = [*fields, expected.tag_field] if expected.tag_field else [*fields]
        for key, item in value.items():
            if key not in allowed:
                hint = _misplaced(key, expected, where) or nearest_hint(
                    key, allowed, otherwise=f"known keys here: {', '.join(sorted(allowed))}"
                )
                raise error(f"{path}: unknown key '{where}{key}'", hint=hint)
            if key in fields:
                refuse_unknown_keys(item, fields[key], path, f"{where}{key}.", error)
    elif isinstance(expected, msgspec.inspect.DictType) and isinstance(value, dict):
        for key, item in value.items():
            refuse_unknown_keys(item, expected.value_type, path, f"{where}{key}.", error)
    elif isinstance(expected, msgspec.inspect.ListType) and isinstance(value, list):
        for index, item in enumerate(value):
            refuse_unknown_keys(item, expected.item_type, path, f"{where}{index}.", error)


def _refuse_in_union(
    value: Any, union: msgspec.inspect.UnionType, path: Path, where: str, error: type[UsageError]
) -> None:
    if not isinstance(value, dict):
        return
    structs = [member for member in union.types if isinstance(member, msgspec.inspect.StructType)]
    tagged = [member for member in structs if member.tag_field and value.get(member.tag_field) == member.tag]
    for member in tagged or (structs if len(structs) == 1 else []):
        refuse_unknown_keys(value, member, path, where, error)


def _misplaced(key: str, table: msgspec.inspect.StructType, where: str) -> str | None:
    """A hint where a table below this one knows the key."""
    found = list(_tables_with(key, table, where))
    if not found:
        return None
    places, is_table = [place for place, _ in found], all(is_table for _, is_table in found)
    if is_table:
        return f"write {' or '.join(f'[{place}.{key}]' for place in places)}"
    return f"'{key}' belongs below {' or '.join(f'[{place}]' for place in places)}"


def _tables_with(key: str, table: msgspec.inspect.StructType, where: str) -> Iterator[tuple[str, bool]]:
    """Tables that know the key, and whether it is a table itself."""
    for field in table.fields:
        for one in possible_types(field.type):
            if isinstance(one, msgspec.inspect.StructType):
                place = f"{where}{field.encode_name}"
                for inner in one.fields:
                    if inner.encode_name == key:
                        is_table = isinstance(inner.type, msgspec.inspect.StructType)
                        yield place, is_table
                yield from _tables_with(key, one, f"{place}.")

"""JSON Schema of everything that crosses a border, generated from the structs.

The files in ``docs/reference/schemas`` are written by ``python -m edge_sdk.contract.schema DIR``;
a test holds them to the code.
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

import msgspec

from .manifest_document import ManifestDocument
from .messages import Alert, Coverage, Dropped, Probe, Receipt, Reported, Status

__all__ = ["schema_documents", "write_schemas"]

_DOCUMENTS: dict[str, type[msgspec.Struct]] = {
    "manifest": ManifestDocument,
    "alert": Alert,
    "status": Status,
    "coverage": Coverage,
    "dropped": Dropped,
    "reported": Reported,
    "receipt": Receipt,
    "probe": Probe,
}


def schema_documents() -> dict[str, dict[str, Any]]:
    """JSON Schema (draft 2020-12) by document name."""
    return {name: _dedented(msgspec.json.schema(struct)) for name, struct in _DOCUMENTS.items()}


def _dedented(schema: Any) -> Any:
    """The schema with docstrings as Python 3.13 keeps them; before, they have the code's indentation."""
    if isinstance(schema, dict):
        return {
            key: inspect.cleandoc(value)
            if key == "description" and isinstance(value, str)
            else _dedented(value)
            for key, value in schema.items()
        }
    return [_dedented(item) for item in schema] if isinstance(schema, list) else schema


def write_schemas(folder: Path) -> None:
    """Write one ``NAME.schema.json`` a document into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in schema_documents().items():
        encoded = msgspec.json.format(msgspec.json.encode(schema), indent=2) + b"\n"
        (folder / f"{name}.schema.json").write_bytes(encoded)


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1]))

"""A device that listens is up sooner, for it loads nothing that describes pictures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden"
ABOUT_PICTURES = {"contract.detector", "contract.image", "contract.manifest_document", "image"}

PROGRAM = """
import json, sys
import device.pipeline
from edge_sdk.contract.manifest import decode_manifest
with open(sys.argv[1], "rb") as file:
    read = decode_manifest(file.read())
print(json.dumps([read.modality, sorted(sys.modules)]))
"""


def loaded_to_read(manifest: str) -> tuple[str, set[str]]:
    """Modality of a manifest, and all that was loaded to read it, in an interpreter of its own."""
    command = [sys.executable, "-I", "-c", PROGRAM, str(GOLDEN / manifest)]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    modality, modules = json.loads(answer)
    return modality, {name.removeprefix("edge_sdk.") for name in modules}


def test_a_manifest_of_sound_is_read_without_what_describes_pictures() -> None:
    modality, modules = loaded_to_read("manifest.json")
    assert modality == "audio"
    assert not ABOUT_PICTURES & modules
    assert not {"argparse", "dataclasses", "zipfile"} & modules  # milliseconds each, and not needed


def test_a_manifest_of_a_detector_is_read_with_all_that_describes_it() -> None:
    modality, modules = loaded_to_read("detector.json")
    assert modality == "image"
    assert {"contract.detector", "contract.image"} <= modules

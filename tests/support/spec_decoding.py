"""Decode a detector's outputs by a SPEC.toml alone, as a person who met it today would have to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from head_decoding import tensor_specs

from converters.spec.spec_file import load_spec
from edge_sdk.contract.values import Array
from edge_sdk.decode.detections import RawDetections, detection_decoder


def decode_by_spec(
    folder: Path, detector: str, outputs: Mapping[str, Array], *, labels: int, width: int, height: int
) -> RawDetections:
    """What the device finds.

    Args:
        folder: For the spec; files that it names lie there.
        detector: What stands under ``[detector]``.
        outputs: The model's, for one picture.
        labels: So many labels.
        width, height: Of the model's input.
    """
    named = "".join(f'[[labels]]\nid = "thing_{number}"\n' for number in range(labels))
    path = folder / "unseen.toml"
    path.write_text(
        f'name = "unseen"\nversion = "1.0.0"\ntask = "detect"\n{named}[default_rule]\nthreshold = 0.5\n'
        f'[image]\nwidth = {width}\nheight = {height}\npreprocessing = "unit"\n[detector]\n{detector}'
    )
    spec = load_spec(path)
    specs = tensor_specs(outputs)
    output = spec.detector.complete(spec.image, len(spec.labels), specs)
    decoder = detection_decoder(output, spec.image, len(spec.labels))
    decoder.check(specs)
    return decoder(outputs)

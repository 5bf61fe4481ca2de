"""How far int8 ONNX is off by several ways to make it, on inputs that it was not calibrated on.

    EDGE_SDK_DATA=DATA python tools/onnx_int8.py

The error is the root of the squared differences of the raw output, relative to the float model's own.
``EDGE_SDK_MODELOPT_PYTHON`` names the Python of an environment with NVIDIA's Model Optimizer, which is then
compared, too. Takes the extras ``demo`` and ``camera-opencv``, and some minutes.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from converters.quiet import import_tensorflow, quiet_libraries
from converters.sources.open_source import open_source
from converters.variants.output_error import relative_error
from converters.variants.modelopt_int8 import quantize_by_modelopt
from converters.variants.onnx_conversion import convert_onnx
from converters.variants.onnx_int8 import OnnxQuantizer
from converters.variants.onnx_prepared import PreparedOnnx, prepare_onnx
from edge_sdk.contract.values import Float32Array, TensorSpec
from edge_sdk.inference.open import open_backend

_WAYS = {
    "largest value": (1.0, False),
    "99.99 %": (0.9999, False),
    "largest value, biases corrected": (1.0, True),
    "99.99 %, biases corrected (as converted)": (0.9999, True),
    "99.9 %, biases corrected": (0.999, True),
}
_RECORDINGS_APART, _MOST_PHOTOS = 3, 100


class Case(NamedTuple):
    """A model in float32 ONNX, its inputs, and whether it gives boxes."""

    name: str
    model: bytes
    inputs: Float32Array
    gives_boxes: bool


def main() -> int:
    """Print a table a model."""
    data = Path(os.environ.get("EDGE_SDK_DATA", "../shared/data"))
    if not data.is_dir():
        print(f"there is no {data}: EDGE_SDK_DATA names the folder", file=sys.stderr)
        return 77
    import_tensorflow()
    for case in (_forest_sounds(data), _lite0(data), _fastestdet(data)):
        for line in _compared(case):
            print(line, flush=True)
    return 0


def _compared(case: Case) -> Iterator[str]:
    evaluated = np.arange(len(case.inputs)) % 2 == 0
    calibration = [sample[np.newaxis] for sample in case.inputs[~evaluated]]
    unseen = case.inputs[evaluated]
    with open_backend(case.model, "onnx") as backend:
        taken = backend.inputs[0].name
    prepared = prepare_onnx(case.model, taken, calibration[0].shape)
    wanted = _answers(prepared.content, unseen)
    yield f"{case.name}: calibrated on {len(calibration)} inputs, judged on {len(unseen)} others"
    for way, content in _made(prepared, calibration, case.gives_boxes):
        yield f"  {way:42} {relative_error(wanted, _answers(content, unseen)):6.1%}"


def _made(
    prepared: PreparedOnnx,
    calibration: list[Float32Array],
    gives_boxes: bool,  # noqa: FBT001
) -> Iterator[tuple[str, bytes]]:
    for way, (share, corrected) in _WAYS.items():
        quantizer = OnnxQuantizer(
            prepared,
            lambda: calibration,
            heads_in_float=gives_boxes,
            kept_share=share,
            correct_biases=corrected,
        )
        yield way, quantizer.quantize()
    python = os.environ.get("EDGE_SDK_MODELOPT_PYTHON")
    if python:
        made = quantize_by_modelopt(prepared, lambda: calibration, Path(python), heads_in_float=gives_boxes)
        yield made.note.partition(",")[0], made.content


def _answers(content: bytes, inputs: Float32Array) -> Float32Array:
    with quiet_libraries(), open_backend(content, "onnx", reference_kernels=True, threads=2) as backend:
        taken, given = backend.inputs[0].name, backend.outputs[0].name
        return np.stack([backend.infer({taken: sample[np.newaxis]})[given].copy() for sample in inputs])


def _forest_sounds(data: Path) -> Case:
    from edge_sdk.signal.audio_file import read_mono
    from edge_sdk.signal.log_mel import LogMelExtractor
    from examples.forest_sounds import base

    extract, length = LogMelExtractor(base.FRONT_END), base.WINDOW_SAMPLES
    windows = []
    for index, clip in enumerate(sorted((data / "audio/esc10").glob("*/*.ogg"))[::_RECORDINGS_APART]):
        sound = read_mono(clip, base.FRONT_END.sample_rate_hz)
        start = length * (index % (len(sound) // length))
        windows.append(extract(sound[start : start + length]))
    head = Path(base.__file__).with_name("head.keras")
    with tempfile.TemporaryDirectory() as scratch:
        model = _as_onnx(base.write_base(Path(scratch, "base.keras")), head)
    return Case("forest-sounds", model, np.stack(windows), gives_boxes=False)


def _lite0(data: Path) -> Case:
    from examples.imagenet import build

    with tempfile.TemporaryDirectory() as scratch, quiet_libraries():
        model = _as_onnx(build.write("efficientnet_lite0", Path(scratch)))
    folders = ("voc100/images", "darknet", "coral", "flowers128")
    paths = [path for folder in folders for path in sorted((data / "images" / folder).rglob("*.jpg"))]
    chosen = paths[:: max(1, len(paths) // _MOST_PHOTOS)]
    photos = _photos(chosen, 224, lambda pixels: (pixels - np.float32(127)) / np.float32(128))
    return Case("EfficientNet-Lite0", model, photos, gives_boxes=False)


def _fastestdet(data: Path) -> Case:
    model = (data / "models/fastestdet/FastestDet.onnx").read_bytes()
    paths = sorted((data / "images/voc100/images").glob("*.jpg"))
    photos = _photos(paths, 352, lambda pixels: pixels[:, :, ::-1].transpose(2, 0, 1) / np.float32(255))
    return Case("FastestDet", model, photos, gives_boxes=True)


def _photos(paths: list[Path], side: int, prepare: Callable[[Float32Array], Float32Array]) -> Float32Array:
    """Photos, stretched to a square."""
    from PIL import Image

    photos = []
    for path in paths:
        with Image.open(path) as photo:
            pixels = np.asarray(photo.convert("RGB").resize((side, side)), dtype=np.float32)
        photos.append(np.ascontiguousarray(prepare(pixels), dtype=np.float32))
    return np.stack(photos)


def _as_onnx(*paths: Path) -> bytes:
    def batch_of_1(spec: TensorSpec) -> tuple[int, ...]:
        return tuple(extent or 1 for extent in spec.shape)

    with open_source(paths, fit_input=batch_of_1) as source:
        if source.traced is None:
            raise ValueError(f"{source.name} is no model that is converted")
        return convert_onnx(source.traced)


if __name__ == "__main__":
    sys.exit(main())

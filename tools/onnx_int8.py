"""How far int8 ONNX is off by several ways to make it, on inputs that it was not calibrated on.

    EDGE_SDK_DATA=DATA python tools/onnx_int8.py [CASE ...]

Without a name all cases: forest_sounds, lite0, fastestdet, and of BlazeFace short_range, back and full_range.
The error is the root of the squared differences of the raw output, relative to the float model's own. How far
the float model itself moves with noise of one grey level says what may be expected of 8 bits. Beside it, what
the lint finds, and with the extra ``tensorrt-rtx`` whether TensorRT-RTX builds it.
``EDGE_SDK_MODELOPT_PYTHON`` names the Python of an environment with NVIDIA's Model Optimizer, which is then
compared, too. Takes the extras ``demo`` and ``camera-opencv``, and some minutes.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from converters.preflight.preflight import Preflight, is_installed
from converters.quiet import import_tensorflow, quiet_libraries
from converters.sources.open_source import open_source
from converters.variants.modelopt_int8 import quantize_by_modelopt
from converters.variants.onnx_conversion import convert_onnx
from converters.variants.onnx_equalized import equalize_channels
from converters.variants.onnx_int8 import OnnxQuantizer
from converters.variants.onnx_lint import lint_onnx
from converters.variants.onnx_of_tflite import convert_tflite
from converters.variants.onnx_prepared import PreparedOnnx, prepare_onnx
from converters.variants.onnx_range_rules import RANGE_RULES, RangeRule
from converters.variants.output_error import relative_error
from edge_sdk.contract.values import Float32Array, TensorSpec
from edge_sdk.inference.open import open_backend
from tools.runtime_quantizer import METHODS, quantize_by_runtime

_NARROW, _, _LARGEST, _WIDE = RANGE_RULES
_WAYS: dict[str, tuple[RangeRule | None, bool, bool]] = {
    "largest value": (_LARGEST, False, False),
    "largest value, biases corrected": (_LARGEST, True, False),
    "99.99 %, biases corrected": (_NARROW, True, False),
    "largest value and a quarter, corrected, equalized": (_WIDE, True, True),
    "99.99 %, corrected, equalized": (_NARROW, True, True),
    "chosen by held-out tensors (as converted)": (None, True, True),
}
_RUNTIME_WAYS = [*((method, False) for method in METHODS), ("Percentile", True)]
_RECORDINGS_APART, _MOST_PHOTOS = 3, 100


class Case(NamedTuple):
    """A model in float32 ONNX, its inputs, whether it gives boxes, and of pictures one step of 8 bits."""

    name: str
    model: bytes
    inputs: Float32Array
    gives_boxes: bool
    grey_level: float | None = None


def main() -> int:
    """Print a table a model."""
    data = Path(os.environ.get("EDGE_SDK_DATA", "../shared/data"))
    if not data.is_dir():
        print(f"there is no {data}: EDGE_SDK_DATA names the folder", file=sys.stderr)
        return 77
    import_tensorflow()
    for name in sys.argv[1:] or _CASES:
        for line in _compared(_CASES[name](data)):
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
    if case.grey_level is not None:
        noise = np.random.default_rng(0).uniform(-case.grey_level, case.grey_level, unseen.shape)
        noisy = _answers(prepared.content, unseen + noise.astype(np.float32))
        yield _line("the float model with each pixel off by up to a level", wanted, noisy)
    for way, content in _made(case, prepared, calibration):
        yield f"{_line(way, wanted, _answers(content, unseen))}; {said_of(content)}"


def _line(what: str, wanted: Float32Array, given: Float32Array) -> str:
    each = [relative_error(*pair) for pair in zip(wanted, given, strict=True)]
    over_all = relative_error(wanted, given)
    return f"  {what:52} {over_all:6.1%}; by input: median {np.median(each):6.1%}, most {max(each):6.1%}"


def _made(case: Case, prepared: PreparedOnnx, calibration: list[Float32Array]) -> Iterator[tuple[str, bytes]]:
    for way, (rule, corrected, equalized) in _WAYS.items():
        quantizer = OnnxQuantizer(
            prepared,
            lambda: calibration,
            heads_in_float=case.gives_boxes,
            rule=rule,
            correct_biases=corrected,
            equalize=equalized,
        )
        chosen = f" ({quantizer.rule.name})" if rule is None else ""
        yield way + chosen, quantizer.quantize()
    yield from _made_by_others(case, prepared, calibration)


def _made_by_others(
    case: Case, prepared: PreparedOnnx, calibration: list[Float32Array]
) -> Iterator[tuple[str, bytes]]:
    for method, equalized in _RUNTIME_WAYS:
        start = equalize_channels(prepared, lambda: calibration) if equalized else prepared
        made = quantize_by_runtime(start, calibration, method, heads_in_float=case.gives_boxes)
        also = ", equalized by ours" if equalized else ""
        yield f"ONNX Runtime's, {method}{also}, {made.peak_bytes // 2**20} MiB", made.content
    python = os.environ.get("EDGE_SDK_MODELOPT_PYTHON")
    if python:
        by_nvidia = quantize_by_modelopt(
            prepared, lambda: calibration, Path(python), heads_in_float=case.gives_boxes
        )
        yield by_nvidia.note.partition(",")[0], by_nvidia.content


def said_of(content: bytes) -> str:
    """What the lint and TensorRT-RTX have against a model, or that each of them that is here passes it."""
    found = [f"{n} {rule}" for rule, n in Counter(item.rule for item in lint_onnx(content)).items()]
    if not is_installed():
        return f"{', '.join(found) or 'lint passes it'}; TensorRT-RTX is not installed"
    with Preflight() as preflight:
        preflight.ask("model", content)
        builds, failure = preflight.results()
    found += ["" if builds["model"].passed else "not built"] if builds else [failure]
    return ", ".join(part for part in found if part) or "lint and TensorRT-RTX pass it"


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
    return Case("EfficientNet-Lite0", model, photos, gives_boxes=False, grey_level=1 / 128)


def _fastestdet(data: Path) -> Case:
    model = (data / "models/fastestdet/FastestDet.onnx").read_bytes()
    paths = sorted((data / "images/voc100/images").glob("*.jpg"))
    photos = _photos(paths, 352, lambda pixels: pixels[:, :, ::-1].transpose(2, 0, 1) / np.float32(255))
    return Case("FastestDet", model, photos, gives_boxes=True, grey_level=1 / 255)


def _faces(data: Path, name: str) -> Case:
    from edge_sdk.demo.wheels import cache_folder
    from examples.faces import models

    with tempfile.TemporaryDirectory() as scratch:
        source = models.write(name, Path(scratch), cache_folder())
        side = models.MODELS[name].side
        paths = sorted((data / "images/voc100/images").glob("*.jpg"))
        photos = _photos(paths, side, lambda pixels: pixels / np.float32(127.5) - np.float32(1))
        with open_source((source,), output_name=None, fit_input=_batch_of_1) as opened:
            model = convert_tflite(opened, [photos[:1]])
    return Case(f"BlazeFace {name}", model, photos, gives_boxes=True, grey_level=2 / 255)


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
    with open_source(paths, fit_input=_batch_of_1) as source:
        if source.traced is None:
            raise ValueError(f"{source.name} is no model that is converted")
        return convert_onnx(source.traced)


_CASES: dict[str, Callable[[Path], Case]] = {
    "forest_sounds": _forest_sounds,
    "lite0": _lite0,
    "fastestdet": _fastestdet,
    **{name: partial(_faces, name=name) for name in ("short_range", "back", "full_range")},
}


def _batch_of_1(spec: TensorSpec) -> tuple[int, ...]:
    return tuple(extent or 1 for extent in spec.shape)


if __name__ == "__main__":
    sys.exit(main())

"""The ONNX models that a GPU is tried with, each with real inputs, written into a folder.

    python tests/support/gpu_models.py FOLDER

Making them takes the converter and the recordings and photos of ``EDGE_SDK_DATA``; running them
takes neither, so a folder made on one machine can be tried on another.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edge_sdk.contract.values import Float32Array

__all__ = ["MODELS", "PRECISIONS", "inputs_path", "onnx_path", "write_models"]

MODELS = ("small-cnn", "forest-sounds", "fastestdet")
PRECISIONS = ("float32", "float16", "int8")
_EVALUATED = 3
_CALIBRATED = 24
_CNN_SHAPE = (96, 64)
_DETECTOR_PIXELS = 352


def onnx_path(folder: Path, model: str, precision: str) -> Path:
    """Where a model is."""
    return folder / f"{model}.{precision}.onnx"


def inputs_path(folder: Path, model: str) -> Path:
    """Where its inputs are: an array of windows or photos, batch axis of 1 not included."""
    return folder / f"{model}.inputs.npy"


def write_models(folder: Path, data: Path) -> None:
    """Write all models in all precisions.

    Args:
        folder: Where to; must exist.
        data: As ``EDGE_SDK_DATA`` names it.
    """
    from converters.quiet import import_tensorflow, quiet_libraries

    import_tensorflow()
    with quiet_libraries():
        _write_small_cnn(folder)
        _write_forest_sounds(folder, data)
        _write_detector(folder, data)


def _write_small_cnn(folder: Path) -> None:
    """A CNN of two layers on log-mel windows; weights by chance, for only arithmetic is tried."""
    import keras

    keras.utils.set_random_seed(7)
    layers = keras.layers
    window = keras.Input(_CNN_SHAPE, name="log_mel")
    hidden = layers.Reshape((*_CNN_SHAPE, 1))(window)
    hidden = layers.Conv2D(8, 3, strides=2, activation="relu")(hidden)
    hidden = layers.Conv2D(16, 3, strides=2, activation="relu")(hidden)
    scores = layers.Dense(2, activation="sigmoid")(layers.GlobalMaxPooling2D()(hidden))
    samples = np.random.default_rng(7).standard_normal((_CALIBRATED, *_CNN_SHAPE)).astype(np.float32)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "small.keras"
        keras.Model(window, scores).save(path)
        _write_precisions(folder, "small-cnn", _converted(path), samples)


def _write_forest_sounds(folder: Path, data: Path) -> None:
    """The example's model: EfficientNet-Lite0 blocks and a trained head, on recordings."""
    from examples.forest_sounds import base

    head = Path(base.__file__).with_name("head.keras")
    samples = np.stack(list(_log_mels(data / "audio" / "esc10")))
    with tempfile.TemporaryDirectory() as scratch:
        model = _converted(base.write_base(Path(scratch) / "base.keras"), head)
    _write_precisions(folder, "forest-sounds", model, samples)


def _write_detector(folder: Path, data: Path) -> None:
    """FastestDet, which comes as ONNX, on photos."""
    model = (data / "models" / "fastestdet" / "FastestDet.onnx").read_bytes()
    samples = np.stack(list(_photos(data / "images" / "voc100" / "images")))
    _write_precisions(folder, "fastestdet", model, samples, detects=True)


def _converted(*paths: Path) -> bytes:
    """What ``edge-sdk convert`` makes of Keras files as ``onnx-float32``."""
    from converters.sources.open_source import open_source
    from converters.variants.onnx_conversion import convert_onnx

    with open_source(paths, fit_input=lambda spec: tuple(extent or 1 for extent in spec.shape)) as source:
        assert source.traced is not None
        return convert_onnx(source.traced)


def _log_mels(folder: Path) -> Iterator[Float32Array]:
    """The loudest windows of recordings of all kinds, as the example hears them."""
    from edge_sdk.signal.audio_file import read_mono
    from edge_sdk.signal.log_mel import LogMelExtractor
    from examples.forest_sounds.base import FRONT_END, WINDOW_SAMPLES

    extract = LogMelExtractor(FRONT_END)
    clips = sorted(folder.glob("*/*.ogg"))
    for clip in clips[:: max(1, len(clips) // _CALIBRATED)][:_CALIBRATED]:
        samples = read_mono(clip, FRONT_END.sample_rate_hz)
        windows = samples[: len(samples) // WINDOW_SAMPLES * WINDOW_SAMPLES].reshape(-1, WINDOW_SAMPLES)
        yield extract(windows[np.square(windows).sum(axis=1).argmax()])


def _photos(folder: Path) -> Iterator[Float32Array]:
    """Photos as FastestDet takes them: stretched, blue first, 0 to 1, channels first."""
    from PIL import Image

    size = (_DETECTOR_PIXELS, _DETECTOR_PIXELS)
    for path in sorted(folder.glob("*.jpg"))[:_CALIBRATED]:
        with Image.open(path) as photo:
            pixels = np.asarray(photo.convert("RGB").resize(size), dtype=np.float32)
        yield np.ascontiguousarray(pixels[:, :, ::-1].transpose(2, 0, 1)) / np.float32(255)


def _write_precisions(
    folder: Path, name: str, model: bytes, samples: Float32Array, *, detects: bool = False
) -> None:
    """The model as it is, in float16 and in int8 as ``edge-sdk convert`` makes them.

    The inputs that are kept are others than int8 was calibrated on.
    """
    import onnx

    from converters.variants.onnx_float16 import convert_float16
    from converters.variants.onnx_int8 import OnnxQuantizer
    from converters.variants.onnx_prepared import prepare_onnx

    evaluated = np.arange(len(samples)) % (len(samples) // _EVALUATED) == 0
    calibration = [sample[np.newaxis] for sample in samples[~evaluated]]
    taken = onnx.load_from_string(model).graph.input[0].name
    prepared = prepare_onnx(model, taken, calibration[0].shape)
    quantizer = OnnxQuantizer(prepared, lambda: calibration, heads_in_float=detects)
    onnx_path(folder, name, "float32").write_bytes(model)
    onnx_path(folder, name, "float16").write_bytes(convert_float16(prepared, calibration[:8]).content)
    onnx_path(folder, name, "int8").write_bytes(quantizer.quantize())
    np.save(inputs_path(folder, name), samples[evaluated])


def _main() -> int:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    write_models(folder, Path(os.environ.get("EDGE_SDK_DATA", "../shared/data")))
    return 0


if __name__ == "__main__":
    sys.exit(_main())

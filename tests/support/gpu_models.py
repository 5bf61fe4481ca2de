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
from typing import Any

import numpy as np

from edge_sdk.contract.values import Float32Array

__all__ = ["MODELS", "PRECISIONS", "inputs_path", "onnx_path", "write_models"]

MODELS = ("small-cnn", "forest-sounds", "fastestdet")
PRECISIONS = ("float32", "float16", "int8")
_EVALUATED = 3
_CALIBRATED = 24
_CNN_SHAPE = (96, 64)
_DETECTOR_PIXELS = 352
_OPSET = 18  # scales by channel came with 13
_SUMS = ("ReduceMean", "ReduceSum", "ReduceL1", "ReduceL2", "GlobalAveragePool")


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
    _write_precisions(folder, "fastestdet", model, samples)


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


def _write_precisions(folder: Path, name: str, model: bytes, samples: Float32Array) -> None:
    """The model as it is, in float16 and in int8, and inputs that int8 was not calibrated on."""
    evaluated = np.arange(len(samples)) % (len(samples) // _EVALUATED) == 0
    onnx_path(folder, name, "float32").write_bytes(model)
    onnx_path(folder, name, "float16").write_bytes(_float16(model))
    onnx_path(folder, name, "int8").write_bytes(_int8(model, samples[~evaluated]))
    np.save(inputs_path(folder, name), samples[evaluated])


def _float16(model: bytes) -> bytes:
    """Weights and most arithmetic in float16; sums, inputs and outputs stay float32.

    The sum of a spectrogram in dB is beyond 65,504, the largest float16. A CPU does not show it:
    ONNX Runtime computes float16 in float32 there.
    """
    import onnx
    from onnxruntime.transformers import float16

    blocked = [*float16.DEFAULT_OP_BLOCK_LIST, *_SUMS]
    converted = float16.convert_float_to_float16(
        onnx.load_from_string(model), keep_io_types=True, op_block_list=blocked
    )
    return bytes(converted.SerializeToString())


def _int8(model: bytes, calibrated: Float32Array) -> bytes:
    """Q/DQ pairs as TensorRT wants them: symmetric, every zero point 0, weights by channel."""
    import onnx
    from onnx import version_converter
    from onnxruntime import quantization as quantize

    with tempfile.TemporaryDirectory() as scratch:
        source, prepared, done = (Path(scratch) / f"{step}.onnx" for step in ("source", "prepared", "done"))
        onnx.save(version_converter.convert_version(onnx.load_from_string(model), _OPSET), source)
        quantize.quant_pre_process(source, prepared, skip_symbolic_shape=True)
        quantize.quantize_static(
            prepared,
            done,
            _calibration(prepared, calibrated),
            quant_format=quantize.QuantFormat.QDQ,
            per_channel=True,
            weight_type=quantize.QuantType.QInt8,
            activation_type=quantize.QuantType.QInt8,
            extra_options={
                "ActivationSymmetric": True,
                "WeightSymmetric": True,
                "AddQDQPairToWeight": True,
                "QuantizeBias": False,
                "DedicatedQDQPair": True,
            },
        )
        return done.read_bytes()


def _calibration(model: Path, calibrated: Float32Array) -> Any:
    import onnx
    from onnxruntime.quantization import CalibrationDataReader

    class Samples(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._name = onnx.load(model).graph.input[0].name
            self._left = iter(calibrated)

        def get_next(self) -> dict[str, Float32Array] | None:
            sample = next(self._left, None)
            return None if sample is None else {self._name: sample[np.newaxis]}

    return Samples()


def _main() -> int:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    write_models(folder, Path(os.environ.get("EDGE_SDK_DATA", "../shared/data")))
    return 0


if __name__ == "__main__":
    sys.exit(_main())

"""MobileNetV2 in the forms that `backends.py` times: TFLite in float32 and int8, and ONNX in float32.

    python benchmarks/picture_mobilenet_v2.py FOLDER

Keras' network for 224 px and 1,000 classes (Sandler et al., 2018) with random weights: nothing here asks
what it answers, and its time does not depend on them. In int8 once with float32 at both ends, as our
converter leaves them, and once with int8 there. Making it takes TensorFlow and tf2onnx, which must not share
a process with what is timed.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["FLOAT_ONNX", "FLOAT_TFLITE", "INT8_ENDS_TFLITE", "INT8_TFLITE", "SIDE"]

SIDE = 224
FLOAT_TFLITE, FLOAT_ONNX = "mobilenet_v2.tflite", "mobilenet_v2.onnx"
INT8_TFLITE, INT8_ENDS_TFLITE = "mobilenet_v2_int8.tflite", "mobilenet_v2_int8_ends.tflite"
_OPSET = 17
_CALIBRATION_PICTURES = 8


def main() -> None:
    """Write all three."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras
    import tensorflow as tf
    from tf2onnx import convert

    keras.utils.set_random_seed(0)
    model = keras.applications.MobileNetV2((SIDE, SIDE, 3), weights=None)
    picture = tf.TensorSpec((1, SIDE, SIDE, 3), tf.float32, name="picture")
    with tempfile.TemporaryDirectory() as saved:
        model.export(saved, format="tf_saved_model", input_signature=[picture], verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(saved)
        (folder / FLOAT_TFLITE).write_bytes(converter.convert())
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = _pictures
        (folder / INT8_TFLITE).write_bytes(converter.convert())
        converter.inference_input_type = converter.inference_output_type = tf.int8
        (folder / INT8_ENDS_TFLITE).write_bytes(converter.convert())
    convert.from_tflite(str(folder / FLOAT_TFLITE), opset=_OPSET, output_path=str(folder / FLOAT_ONNX))


def _pictures() -> Iterator[list[Any]]:
    noise = np.random.default_rng(0)
    for _ in range(_CALIBRATION_PICTURES):
        yield [noise.uniform(-1, 1, (1, SIDE, SIDE, 3)).astype(np.float32)]


if __name__ == "__main__":
    main()

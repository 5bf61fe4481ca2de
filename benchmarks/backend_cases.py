"""What `backends.py` measures: MobileNetV2 as each backend loads it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from picture_mobilenet_v2 import FLOAT_ONNX, FLOAT_TFLITE, INT8_ENDS_TFLITE, INT8_TFLITE, SIDE

from edge_sdk.errors import EdgeSdkError
from edge_sdk.inference.engine import Engine, EngineBackend
from edge_sdk.inference.onnx import OnnxEngine
from edge_sdk.inference.options import OnnxOptions
from edge_sdk.inference.tensorrt.build import build_engine
from edge_sdk.inference.tensorrt.cuda import open_cuda
from edge_sdk.inference.tensorrt.engine import TensorRtEngine
from edge_sdk.inference.tensorrt.library import find_library
from edge_sdk.inference.tensorrt.products import TENSORRT
from edge_sdk.inference.tflite import TFLiteEngine

__all__ = ["PICTURE", "WARM_UP", "Case", "LeftOut", "cases", "infer_picture", "tensorrt_case"]

WARM_UP = 20
PICTURE = np.random.default_rng(0).uniform(-1, 1, (1, SIDE, SIDE, 3)).astype(np.float32)


class Case(NamedTuple):
    """A model, and how it is loaded with so many threads; a GPU has none to choose."""

    name: str
    library: str
    load: Callable[[int], Engine]
    has_threads: bool = True

    def backend(self, threads: int) -> EngineBackend:
        """It, loaded anew."""
        return EngineBackend(self.name, self.load(threads))


class LeftOut(NamedTuple):
    """A library that is not measured here, and why."""

    library: str
    reason: str


def cases(models: Path) -> list[Case]:
    """What is measured on a processor."""

    def tflite(name: str) -> Callable[[int], Engine]:
        content = (models / name).read_bytes()
        return lambda threads: TFLiteEngine(content, threads=threads, reference_kernels=False, name=name)

    def onnx(options: OnnxOptions) -> Callable[[int], Engine]:
        content = (models / FLOAT_ONNX).read_bytes()
        return lambda threads: OnnxEngine(
            content, threads=threads, reference_kernels=False, name=FLOAT_ONNX, options=options
        )

    return [
        Case("float32", "TFLite", tflite(FLOAT_TFLITE)),
        Case("int8", "TFLite", tflite(INT8_TFLITE)),
        Case("int8, int8 ends", "TFLite", tflite(INT8_ENDS_TFLITE)),
        Case("float32", "ONNX Runtime", onnx(OnnxOptions(providers=["cpu"]))),
        Case("float32, spinning", "ONNX Runtime", onnx(OnnxOptions(providers=["cpu"], spinning=True))),
    ]


def tensorrt_case(models: Path) -> Case | LeftOut:
    """The float32 model on this computer's GPU, its engine built now."""
    try:
        library, cuda = find_library(), open_cuda()
        built = build_engine(
            library, (models / FLOAT_ONNX).read_bytes(), compute_capability=cuda.gpu.compute_capability
        )
    except EdgeSdkError as error:
        return LeftOut(TENSORRT, error.message)
    if built.plan is None:
        return LeftOut(library.product, "; ".join(map(str, built.refusals)))
    plan = built.plan
    return Case(
        "float32",
        library.product,
        lambda _: TensorRtEngine(plan, library=library, cuda=cuda, name=FLOAT_ONNX),
        has_threads=False,
    )


def infer_picture(backend: EngineBackend) -> Callable[[], object]:
    """Runs it once on :data:`PICTURE`."""
    inputs = {backend.inputs[0].name: PICTURE}
    return lambda: backend.infer(inputs)

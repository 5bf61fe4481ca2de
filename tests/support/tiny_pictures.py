"""Real picture models of a few operations, and bundles of them: what is red, what is green, and where."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from example_contract import npy
from onnx import TensorProto, helper, numpy_helper
from tiny_bundle import TinyBundle
from tiny_models import tiny_onnx, tiny_tflite

from edge_sdk.contract.bundle import file_digest
from edge_sdk.contract.detector import CandidateBoxes, Grid, OffsetCoding, Part, Scale, Suppression
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.manifest import (
    ClassesOutput,
    ExpectedScores,
    FrameRule,
    Golden,
    Label,
    Manifest,
    Metric,
    ModelFormat,
    Provenance,
    SourceFile,
    Stage,
    Variant,
)
from edge_sdk.contract.manifest_document import Output
from edge_sdk.contract.values import Float32Array, Pixels
from edge_sdk.inference.golden_boxes import golden_rows
from edge_sdk.inference.image_classifier import ImageClassifier
from edge_sdk.inference.image_detector import ImageDetector
from edge_sdk.inference.open import open_backend

SIDE = 8
COLORS = ("red", "green", "blue")
THINGS = ("red", "green")
RED, GREEN, BLUE = (0, 0, 255), (0, 255, 0), (255, 0, 0)
DETECTOR_SIDE, CELLS = 32, 8


def color_input() -> ImageInput:
    """8x8 RGB, 0..1."""
    return ImageInput(width=SIDE, height=SIDE, std=(255.0,))


def color_weights() -> tuple[Float32Array, Float32Array]:
    """One label a channel: how much of a picture's light is in it; weights ``[3, 192]``, bias ``[3]``."""
    weights = np.full((SIDE * SIDE, 3, 3), -0.5, dtype=np.float32)
    weights[:, range(3), range(3)] = 2.0
    scaled = 4 * weights.reshape(-1, 3).T / (SIDE * SIDE)
    return scaled.astype(np.float32), np.full(3, -4.0, dtype=np.float32)


def color_model(model_format: ModelFormat = "onnx") -> bytes:
    """A classifier of colours: sigmoid outputs, one a label of :data:`COLORS`."""
    weights, bias = color_weights()
    make = tiny_onnx if model_format == "onnx" else tiny_tflite
    return make(weights, bias, (1, SIDE, SIDE, 3))


def plain(color: tuple[int, int, int], height: int = 30, width: int = 40) -> Pixels:
    """A picture of one colour, given as blue, green, red."""
    return np.full((height, width, 3), color, dtype=np.uint8)


def thing_input() -> ImageInput:
    """32x32 RGB with the channels first, 0..1."""
    return ImageInput(width=DETECTOR_SIDE, height=DETECTOR_SIDE, layout="nchw", std=(255.0,))


def thing_output() -> CandidateBoxes:
    """A cell of 4x4 pixels is a box where it is red or green."""
    return CandidateBoxes(
        scales=[
            Scale(
                box=Part(axes=["batch", "values", "rows", "columns"]),
                classes=Part(axes=["batch", "values", "rows", "columns"], start=4),
                grids=[Grid(rows=CELLS, columns=CELLS)],
            )
        ],
        coding=OffsetCoding(center_offset=0.5, size_activation="none"),
        suppression=Suppression(iou_threshold=0.5),
    )


def thing_model() -> bytes:
    """ONNX: the mean of each cell, red and green as scores of boxes as large as a cell."""
    kernel = DETECTOR_SIDE // CELLS
    fixed = np.zeros((1, 4, CELLS, CELLS), dtype=np.float32)
    fixed[:, 2:] = 1.0
    nodes = [
        helper.make_node(
            "AveragePool", ["picture"], ["cells"], kernel_shape=[kernel] * 2, strides=[kernel] * 2
        ),
        helper.make_node("Gather", ["cells", "channels"], ["scores"], axis=1),
        helper.make_node("Concat", ["boxes", "scores"], ["found"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "things",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, (1, 3, DETECTOR_SIDE, DETECTOR_SIDE))],
        [helper.make_tensor_value_info("found", TensorProto.FLOAT, (1, 6, CELLS, CELLS))],
        [numpy_helper.from_array(fixed, "boxes"), numpy_helper.from_array(np.array([0, 1]), "channels")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def thing_picture(*cells: tuple[int, int, tuple[int, int, int]]) -> Pixels:
    """A dark picture of 64x64 with cells, each of 8x8 pixels, painted: row, column, colour."""
    pixels = np.full((64, 64, 3), 10, dtype=np.uint8)
    for row, column, color in cells:
        pixels[8 * row : 8 * row + 8, 8 * column : 8 * column + 8] = color
    return pixels


def color_bundle(model_format: ModelFormat = "onnx") -> TinyBundle:
    """A verified classifier of colours."""
    pictures = np.stack([plain(RED), plain(GREEN), plain(BLUE), plain((90, 80, 100))])
    model = color_model(model_format)
    with open_backend(model, model_format, reference_kernels=True) as backend:
        classifier = ImageClassifier(color_input(), ClassesOutput(), COLORS, backend)
        scores = np.stack([classifier.score(picture) for picture in pictures])
    return _bundle("classify", color_input(), ClassesOutput(), COLORS, model, model_format, pictures, scores)


def thing_bundle() -> TinyBundle:
    """A verified detector of red and green things."""
    pictures = np.stack([thing_picture((1, 2, RED), (5, 5, GREEN)), thing_picture((0, 7, GREEN))])
    model = thing_model()
    with open_backend(model, "onnx", reference_kernels=True) as backend:
        detector = ImageDetector(thing_input(), thing_output(), THINGS, backend)
        rows = golden_rows([detector.detect(picture) for picture in pictures])
    return _bundle("detect", thing_input(), thing_output(), THINGS, model, "onnx", pictures, rows)


def write_pictures(folder: Path, pictures: dict[str, Pixels]) -> Path:
    """Write pictures as PNG below a folder, by name."""
    from PIL import Image

    for name, pixels in pictures.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels[..., ::-1]).save(path)
    return folder


def _bundle(
    task: str,
    image: ImageInput,
    output: Output,
    labels: tuple[str, ...],
    model: bytes,
    model_format: ModelFormat,
    pictures: Pixels,
    answers: Float32Array,
) -> TinyBundle:
    name = f"{model_format}-float32"
    file, expected = f"models/{name}.{model_format}", f"golden/{name}.npy"
    members = {
        file: model,
        expected: npy(answers),
        "golden/expected.npy": npy(answers),
        "golden/inputs.npy": npy(pictures),
        "report.json": b"{}",
    }
    digest = file_digest(model)
    least_iou = 0.9 if task == "detect" else None
    variant = Variant(
        name=name,
        file=file,
        format=model_format,
        precision="float32",
        sha256=digest.sha256,
        bytes=digest.bytes,
        metric=Metric(name="accuracy", value=1.0, n=40, low=0.91, high=1.0),
        drop=0.0,
        agreement=1.0,
        max_abs_difference=0.0,
        golden=ExpectedScores(file=expected, bound=1e-3, least_iou=least_iou),
    )
    manifest = Manifest(
        name="colors" if task == "classify" else "things",
        version="0.1.0",
        task="classify" if task == "classify" else "detect",
        modality="image",
        labels=[Label(id=label_id, name=label_id.capitalize()) for label_id in labels],
        inputs=[image],
        stages=[Stage(name="main", variants=[name])],
        outputs=[output],
        frame_rules={label_id: FrameRule(threshold=0.5) for label_id in labels},
        variants=[variant],
        golden=Golden(inputs="golden/inputs.npy", expected="golden/expected.npy", label_ids=list(labels)),
        files={member: file_digest(content) for member, content in members.items()},
        provenance=Provenance(
            source_models=[SourceFile(name="tiny", sha256="0" * 64)],
            evaluation=SourceFile(name="tiny", sha256="1" * 64, n=40),
            libraries={"numpy": "2.0"},
        ),
    )
    return TinyBundle(manifest, members)

"""A detector that nobody here has seen is converted from a spec alone, whatever its numbers mean."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conversions import convert_in, report_of
from square_detectors import SQUARE_CANDIDATES, square_boxes, square_model, write_squares, write_squares_spec

from edge_sdk.contract.values import Float32Array


def logits(shares: Float32Array) -> Float32Array:
    return np.asarray(np.log(shares / (1 - shares)), np.float32)


def from_minus_one(shares: Float32Array) -> Float32Array:
    return 2 * shares - 1


CLASSES = '{ axes = ["batch", "values", "candidates"], start = 4 }'


@pytest.mark.parametrize(
    ("boxes", "detector"),
    [
        (
            logits(square_boxes("center_size, xy, shares")),
            'coding = { coding = "direct", form = "center_size", units = "shares", activation = "sigmoid" }',
        ),
        (
            from_minus_one(square_boxes("corners, yx, shares")),
            'coding = { coding = "direct", order = "yx", units = "shares", scale = 0.5, offset = 0.5 }',
        ),
    ],
    ids=["logits", "-1 to 1"],
)
def test_boxes_in_any_numbers(tmp_path: Path, boxes: Float32Array, detector: str) -> None:
    write_squares(tmp_path / "evaluation")
    (tmp_path / "unseen.onnx").write_bytes(square_model(boxes, sigmoid=True))
    spec = write_squares_spec(tmp_path / "x.toml", f"{detector}\n{SQUARE_CANDIDATES}")
    bundle = convert_in(tmp_path, "unseen.onnx", tmp_path / "x.edge", spec=spec)
    assert bundle.manifest.variants[0].metric.value == pytest.approx(1.0)
    assert [line for line in report_of(bundle)["warnings"] if "spec" in line or "coding" in line] == []


def test_cells_without_any_box(tmp_path: Path) -> None:
    """As FOMO: only where, and that by classes of which none is read as a box."""
    write_squares(tmp_path / "evaluation")
    (tmp_path / "unseen.onnx").write_bytes(square_model(square_boxes("distances"), sigmoid=True))
    spec = write_squares_spec(
        tmp_path / "x.toml",
        f'coding = {{ coding = "cell" }}\n[[detector.scales]]\nclasses = {CLASSES}\n'
        "grids = [{ rows = 6, columns = 8 }]\n",
    )
    bundle = convert_in(tmp_path, "unseen.onnx", tmp_path / "x.edge", spec=spec)
    assert bundle.manifest.variants[0].metric.value == pytest.approx(1.0)


def test_a_scale_for_each_label(tmp_path: Path) -> None:
    write_squares(tmp_path / "evaluation")
    (tmp_path / "unseen.onnx").write_bytes(square_model(square_boxes("distances"), sigmoid=True))
    scales = "".join(
        f"""
[[detector.scales]]
label = {label}
box = {{ axes = ["batch", "values", "candidates"] }}
classes = {{ axes = ["batch", "values", "candidates"], start = {4 + label}, unread = {2 - label} }}
grids = [{{ rows = 6, columns = 8 }}]
"""
        for label in range(3)
    )
    spec = write_squares_spec(tmp_path / "x.toml", f'coding = {{ coding = "distance" }}\n{scales}')
    bundle = convert_in(tmp_path, "unseen.onnx", tmp_path / "x.edge", spec=spec)
    assert bundle.manifest.variants[0].metric.value == pytest.approx(1.0)

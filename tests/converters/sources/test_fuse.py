"""A feature extractor and its head become one model."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converters import convert
from converters.sources.fuse import FUSION_TOLERANCE, check_fusion
from edge_sdk.contract.values import Array
from edge_sdk.errors import ModelError, UsageError


def test_features_and_head_give_what_the_whole_model_gives(workplace: Any, tmp_path: Path) -> None:
    common = {"spec": workplace.spec, "evaluation": workplace.evaluation, "variants": ["tflite-float32"]}
    fused = convert(
        features=workplace.features, head=workplace.head, output=tmp_path / "fused.edge", **common
    )
    whole = convert(workplace.model, output=tmp_path / "whole.edge", **common)
    expected = [bundle.read(bundle.manifest.golden.expected) for bundle in (fused, whole)]
    np.testing.assert_allclose(_npy(expected[0]), _npy(expected[1]), atol=1e-6)
    assert [file.name for file in fused.manifest.provenance.source_models] == ["base.keras", "head.keras"]
    assert json.loads(fused.read("report.json"))["fusion_difference"] <= FUSION_TOLERANCE


def test_a_head_for_other_features_is_refused(workplace: Any, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"takes \[97, 24\].*gives \[16\]"):
        convert(
            features=workplace.features,
            head=workplace.features,
            spec=workplace.spec,
            evaluation=workplace.evaluation,
            output=tmp_path / "x.edge",
        )


def test_a_fused_model_that_answers_otherwise_is_refused() -> None:
    def right(batch: Array) -> Array:
        return batch * 2

    def wrong(batch: Array) -> Array:
        return batch * 2 + 2 * FUSION_TOLERANCE

    batches = [np.ones((1, 4)), np.zeros((1, 4))]
    assert check_fusion("base + head", right, right, batches) == 0.0
    with pytest.raises(ModelError, match="differ by"):
        check_fusion("base + head", wrong, right, batches)
    with pytest.raises(ModelError, match="differ by nan"):
        check_fusion("base + head", lambda batch: batch * np.nan, right, batches)


@pytest.mark.parametrize("models", [{}, {"features": "base.keras"}, {"model": "a.keras", "head": "b.keras"}])
def test_half_a_pair_is_wrong_use(workplace: Any, tmp_path: Path, models: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="either one model, or a feature extractor and its head"):
        convert(
            **models,  # type: ignore[arg-type]
            spec=workplace.spec,
            evaluation=workplace.evaluation,
            output=tmp_path / "x.edge",
        )


def _npy(content: bytes) -> Any:
    return np.load(io.BytesIO(content))

"""Every kind of model that becomes ONNX, becomes ONNX that TensorRT-RTX parses and builds.

It shares its parser with TensorRT, and needs no GPU for this.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pytest
from rtx_build import build_plan, tensorrt_rtx

from converters.sources.open_source import open_source
from converters.variants.onnx_conversion import convert_onnx
from edge_sdk.contract.values import TensorSpec


class Models(Protocol):
    """What these tests take from the ``workplace`` fixture."""

    model: Path
    features: Path
    head: Path
    waveform_model: Path


@pytest.fixture(autouse=True)
def _builder_is_installed() -> None:
    tensorrt_rtx()


def batch_of_1(spec: TensorSpec) -> tuple[int, ...]:
    return tuple(extent or 1 for extent in spec.shape)


def builds(*paths: Path) -> bool:
    with open_source(paths, output_name="scores", fit_input=batch_of_1) as source:
        assert source.traced is not None
        return len(build_plan(convert_onnx(source.traced))) > 0


def test_a_keras_model_builds(workplace: Models) -> None:
    assert builds(workplace.model)


def test_a_feature_extractor_with_its_head_builds(workplace: Models) -> None:
    assert builds(workplace.features, workplace.head)


def test_a_saved_model_with_its_spectrogram_inside_builds(workplace: Models) -> None:
    assert builds(workplace.waveform_model)

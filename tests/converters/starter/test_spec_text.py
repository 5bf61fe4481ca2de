"""A spec that was begun says what the model's file tells, and marks everything else so that it is refused."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from converters.sources.source_model import FinalActivation
from converters.spec.spec_file import load_spec
from converters.starter.signature import Signature
from converters.starter.spec_text import StarterTask, spec_text
from edge_sdk.contract.detector import CandidateBoxes
from edge_sdk.contract.manifest import AudioInput, ClassesOutput
from edge_sdk.contract.values import TensorSpec
from edge_sdk.errors import SpecError, UsageError
from edge_sdk.toml_file import PLACEHOLDER, placeholders

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Shape = tuple[int | None, ...]


def signature(
    taken: Shape, *given: Shape, dtype: str = "float32", ends_in: FinalActivation = "other", inputs: int = 1
) -> Signature:
    takes = [TensorSpec(f"in_{number}", taken, dtype) for number in range(inputs)]
    gives = [TensorSpec(f"out_{number}", shape, "float32") for number, shape in enumerate(given)]
    return Signature("Forest Model v2.keras", tuple(takes), tuple(gives), ends_in)


def document(text: str) -> Any:
    return tomllib.loads(text)


def completed(tmp_path: Path, text: str, values: Sequence[tuple[str, str]]) -> Path:
    """The file with each mark replaced, in order, by the key and value that are given."""
    for key, value in values:
        mark = f'{key} = "{PLACEHOLDER}"'
        assert mark in text, key
        text = text.replace(mark, f"{key} = {value}", 1)
    path = tmp_path / "spec.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_model_that_listens_to_spectrograms(tmp_path: Path) -> None:
    text = spec_text(signature((None, 97, 24), (None, 2), ends_in="sigmoid"), "sound")
    begun = document(text)
    assert begun["name"] == "forest-model-v2"
    assert begun["model"] == {"activation": "none", "exclusive": False}
    assert list(placeholders(begun)) == [
        *("labels.0.id", "labels.1.id", "audio.sample_rate_hz", "audio.window_s", "audio.step_s"),
        *("audio.log_mel.layout", "audio.log_mel.n_mels", "audio.log_mel.n_fft", "audio.log_mel.hop"),
    ]
    path = completed(
        tmp_path,
        text,
        [
            ("id", '"saw"'),
            ("id", '"shot"'),
            ("sample_rate_hz", "8000"),
            ("window_s", "1.0"),
            ("step_s", "0.25"),
            ("layout", '"time_mel"'),
            ("n_mels", "24"),
            ("n_fft", "256"),
            ("hop", "80"),
        ],
    )
    spec = load_spec(path)
    assert spec.label_ids == ("saw", "shot")
    assert isinstance(spec.input, AudioInput)


@pytest.mark.parametrize("taken", [(None, 15_600), (1, 15_600, 1), (15_600,)])
def test_of_a_model_that_takes_the_waveform_the_window_is_known(taken: Shape) -> None:
    begun = document(spec_text(signature(taken, (None, 2)), "sound"))
    assert begun["audio"]["window_samples"] == 15_600
    assert list(placeholders(begun["audio"])) == ["sample_rate_hz", "step_s"]
    assert list(placeholders(begun["model"])) == ["activation", "exclusive"]


def test_a_window_of_any_length_is_asked_for() -> None:
    begun = document(spec_text(signature((None, None), (None, 2)), "sound"))
    assert list(placeholders(begun["audio"])) == ["sample_rate_hz", "window_s", "step_s"]


def test_a_picture_classifier(tmp_path: Path) -> None:
    text = spec_text(signature((None, 160, 200, 3), (None, 2), ends_in="softmax"), "picture")
    begun = document(text)
    assert begun["model"] == {"activation": "none", "exclusive": True}
    assert {key: begun["image"][key] for key in ("width", "height", "layout")} == {
        "width": 200,
        "height": 160,
        "layout": "nhwc",
    }
    assert list(placeholders(begun["image"])) == ["color", "preprocessing", "resize"]
    values = [("id", '"cat"'), ("id", '"dog"'), ("color", '"rgb"'), ("preprocessing", '"tf"')]
    spec = load_spec(completed(tmp_path, text, [*values, ("resize", '"stretch"')]))
    assert (spec.image.width, spec.image.height, spec.image.color) == (200, 160, "rgb")
    assert isinstance(spec.output, ClassesOutput)


@pytest.mark.parametrize(
    ("taken", "dtype", "known"),
    [
        ((1, 3, 352, 640), "float32", {"width": 640, "height": 352, "layout": "nchw"}),
        ((None, 28, 28, 1), "float32", {"width": 28, "height": 28, "layout": "nhwc", "color": "gray"}),
        ((None, 28, 28), "float32", {"width": 28, "height": 28, "color": "gray"}),
        ((96, 128, 3), "float32", {"width": 128, "height": 96, "layout": "nhwc"}),
        ((1, 224, 224, 3), "uint8", {"width": 224, "preprocessing": "none"}),
        ((None, None, None, 3), "float32", {"width": PLACEHOLDER, "height": PLACEHOLDER, "layout": "nhwc"}),
        ((1, 3, 224, 3), "float32", {"layout": PLACEHOLDER}),
    ],
)
def test_what_the_shape_of_a_picture_tells(taken: Shape, dtype: str, known: dict[str, object]) -> None:
    image = document(spec_text(signature(taken, (None, 2), dtype=dtype), "picture"))["image"]
    assert {key: image[key] for key in known} == known


def test_a_detector_is_told_which_heads_its_outputs_fit(tmp_path: Path) -> None:
    text = spec_text(signature((1, 3, 640, 640), (1, 84, 8400)), "detector")
    begun = document(text)
    assert begun["task"] == "detect"
    assert "model" not in begun
    assert "#   yolov8 with 80 labels\n" in text
    assert '# label_set = "coco"' in text
    assert list(placeholders(begun)) == [
        *("labels_file", "image.color", "image.preprocessing", "image.resize", "detector.head")
    ]
    text = text.replace(f'labels_file = "{PLACEHOLDER}"', 'label_set = "coco"')
    values = [
        ("color", '"rgb"'),
        ("preprocessing", '"unit"'),
        ("resize", '"letterbox"'),
        ("head", '"yolov8"'),
    ]
    spec = load_spec(completed(tmp_path, text, values))
    head = spec.detector.complete(spec.image, 80, (TensorSpec("out_0", (1, 84, 8400), "float32"),))
    assert isinstance(head, CandidateBoxes)


def test_a_head_that_fits_any_number_of_labels_is_said_once() -> None:
    text = spec_text(signature((1, 3, 640, 640), (1, 300, 6)), "detector")
    assert text.count("yolov10") == 1
    assert "yolov10, whatever the number of labels" in text


def test_a_head_that_nobody_knows_is_to_be_described() -> None:
    text = spec_text(signature((1, 3, 640, 640), (1, 2)), "detector")
    assert "No known head" in text
    assert "docs/explanation/detectors.md" in text


def test_many_labels_are_a_file_and_several_tensors_are_named(tmp_path: Path) -> None:
    text = spec_text(signature((None, 15_600), (None, 1000), (None, 64), inputs=2), "sound")
    begun = document(text)
    assert list(placeholders(begun["model"])) == ["input", "output", "activation", "exclusive"]
    assert "one of 'out_0', 'out_1'" in text
    assert begun["labels_file"] == PLACEHOLDER
    imagenet = spec_text(signature((None, 224, 224, 3), (None, 1000)), "picture")
    assert '# label_set = "imagenet"' in imagenet
    assert "1000 of them" in imagenet
    path = tmp_path / "spec.toml"
    path.write_text(imagenet)
    with pytest.raises(
        SpecError, match=r'says "FILL IN" in 6 places: labels_file, model\.activation'
    ) as refused:
        load_spec(path)
    assert "only you know" in str(refused.value.hint)


@pytest.mark.parametrize(
    ("taken", "task", "hint"),
    [
        ((1, 3, 352, 352), "sound", "--task picture"),
        ((1, 15_600), "picture", "--task sound"),
        ((1, 15_600), "detector", "--task sound"),
    ],
)
def test_a_model_of_another_task_is_refused(taken: Shape, task: StarterTask, hint: str) -> None:
    with pytest.raises(UsageError, match=r"Forest Model v2\.keras takes") as refused:
        spec_text(signature(taken, (1, 2)), task)
    assert hint in str(refused.value.hint)

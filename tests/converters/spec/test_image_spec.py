"""[image]: pixels are scaled exactly once, and every key means something."""

from __future__ import annotations

from pathlib import Path

import pytest

from converters.spec.spec_file import load_spec
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.manifest import ClassesOutput, FrameRule
from edge_sdk.errors import SpecError

HEAD = """
name = "birds"
version = "1.0.0"
{top}
[model]
activation = "softmax"
exclusive = true
[[labels]]
id = "tit"
[[labels]]
id = "crow"
"""


def load(folder: Path, image: str, top: str = "", more: str = "") -> ImageInput:
    path = folder / "birds.toml"
    path.write_text(f"{HEAD.format(top=top)}\n[image]\nwidth = 224\nheight = 192\n{image}\n{more}")
    return load_spec(path).image


def test_a_preset_says_order_mean_and_std(tmp_path: Path) -> None:
    image = load(tmp_path, 'preprocessing = "caffe"')
    assert (image.color, image.mean, image.std) == ("bgr", (103.939, 116.779, 123.68), (1.0,))
    assert (image.width, image.height) == (224, 192)


def test_mean_and_std_of_ones_own_are_taken(tmp_path: Path) -> None:
    image = load(tmp_path, 'mean = [1.0, 2.0, 3.0]\nstd = 4.0\ncolor = "bgr"\nlayout = "nchw"')
    assert (image.color, image.mean, image.std, image.layout) == ("bgr", (1.0, 2.0, 3.0), (4.0,), "nchw")


def test_a_preset_with_one_number_for_all_channels_goes_with_any_order(tmp_path: Path) -> None:
    assert load(tmp_path, 'preprocessing = "unit"\ncolor = "gray"').color == "gray"


def test_a_picture_model_is_read_by_classes_and_thresholds(tmp_path: Path) -> None:
    load(tmp_path, 'preprocessing = "tf"', more="[rules.tit]\nthreshold = 0.7")
    spec = load_spec(tmp_path / "birds.toml")
    assert spec.output == ClassesOutput(activation="softmax", exclusive=True)
    assert spec.frame_rules == {"tit": FrameRule(threshold=0.7)}
    assert spec.rules == {}


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ("", "needs either preprocessing or mean and std"),
        ('preprocessing = "tf"\nmean = 127.5', "so that pixels are scaled once"),
        ('preprocessing = "caffe"\ncolor = "rgb"', "channels in the order bgr, but color is 'rgb'"),
        ('preprocessing = "torch"\ncolor = "gray"', "channels in the order rgb, but color is 'gray'"),
        ('preprocessing = "imagenet"', "preprocessing"),
        ("mean = [1.0, 2.0]", "one for each channel of rgb"),
        ("std = 0.0", "std must be above 0"),
        ('preprocessing = "tf"\n[image.accept]\ncolour = "so it was trained"', "accept.colour"),
        ('preprocessing = "tf"\n[image.accept]\ncolor = " "', "image.accept.color"),
        (
            "mean = [0.485, 0.456, 0.406]\nstd = [0.229, 0.224, 0.225]",
            "mean = [123.675, 116.28, 103.53], std = [58.395, 57.12, 57.375]",
        ),
        ("mean = 0.5\nstd = 0.5", "as if pixels were 0..1"),
        ("std = 0.00392", "as if pixels were 0..1"),
        ('preprocessing = "tf"\npad_value = 0', "no effect with resize = 'stretch'"),
        ('preprocessing = "tf"\nresize = "letterbox"\ncrop_fraction = 0.5', "resize = 'crop'"),
        ('preprocessing = "tf"\nresiz = "crop"', "did you mean 'resize'"),
        ('preprocessing = "tf"\ninterpolation = "lanczos"', "interpolation is one of "),
        ('preprocessing = "tf"\nlayout = "chw"', "did you mean 'nchw'? layout is one of nchw, nhwc"),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path: Path, image: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        load(tmp_path, image)
    assert message in str(caught.value)


def test_a_rule_for_pictures_says_no_more_than_a_threshold(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="says more than a threshold"):
        load(tmp_path, 'preprocessing = "tf"', more="[rules.tit]\nthreshold = 0.7\nhits = 2")


def test_sound_and_pictures_at_once_are_refused(tmp_path: Path) -> None:
    audio = "[audio]\nsample_rate_hz = 8000\nwindow_s = 1.0\nstep_s = 0.5"
    with pytest.raises(SpecError, match=r"either \[audio\] or \[image\]"):
        load(tmp_path, 'preprocessing = "tf"', more=audio)


@pytest.mark.parametrize(("name", "n", "some"), [("imagenet", 1000, "macaw"), ("coco", 80, "bicycle")])
def test_a_label_set_gives_the_usual_labels(tmp_path: Path, name: str, n: int, some: str) -> None:
    path = tmp_path / "usual.toml"
    path.write_text(
        f'name = "usual"\nversion = "1.0.0"\nlabel_set = "{name}"\n'
        '[image]\nwidth = 8\nheight = 8\npreprocessing = "tf"\n'
    )
    labels = load_spec(path).labels
    assert len({label.id for label in labels}) == n
    assert some in [label.id for label in labels]


def test_a_label_set_that_nobody_knows_is_refused_with_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "usual.toml"
    path.write_text(
        'name = "usual"\nversion = "1.0.0"\nlabel_set = "imagnet"\n[image]\nwidth = 8\nheight = 8\nstd = 1'
    )
    with pytest.raises(SpecError, match="did you mean 'imagenet'"):
        load_spec(path)

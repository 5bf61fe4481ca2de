"""[detector]: a head that nobody here has seen is described without code, and mistakes are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from converters.spec.conversion_spec import ConversionSpec
from converters.spec.spec_file import load_spec
from edge_sdk.contract.detector import CandidateBoxes, DirectCoding
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.values import TensorSpec
from edge_sdk.errors import SpecError

IN_FULL = """
decoder = "candidate_boxes"
class_activation = "sigmoid"

[detector.coding]
coding = "direct"
form = "center_size"

[[detector.scales]]
box = { axes = ["batch", "values", "candidates"] }
classes = { axes = ["batch", "values", "candidates"], start = 4 }
"""
CODINGS = "coding is one of direct, offset, corner_offset, distance, cell"
RULE = "[default_rule]\nthreshold = 0.5\n"


def load(folder: Path, detector: str, rule: str = RULE, top: str = 'task = "detect"') -> ConversionSpec:
    path = folder / "animals.toml"
    path.write_text(
        f'name = "animals"\nversion = "1.0.0"\n{top}\nlabel_set = "coco"\n{rule}'
        f'[image]\nwidth = 64\nheight = 64\npreprocessing = "unit"\n[detector]\n{detector}'
    )
    return load_spec(path)


def test_a_head_in_full_becomes_the_manifests_output(tmp_path: Path) -> None:
    spec = load(tmp_path, IN_FULL)
    output = spec.detector.complete(spec.image, len(spec.labels), ())
    assert isinstance(output, CandidateBoxes)
    assert output.coding == DirectCoding(form="center_size")
    assert output.scales[0].classes.start == 4
    assert spec.thresholds["dog"] == 0.5


def test_priors_are_read_from_a_file_beside_the_spec(tmp_path: Path) -> None:
    (tmp_path / "anchors.csv").write_text("0.25,0.5,0.1,0.2\n0.75,0.5,0.3,0.4\n")
    scales = IN_FULL.replace('[detector.coding]\ncoding = "direct"\nform = "center_size"', "")
    spec = load(
        tmp_path,
        f'{scales}priors_file = "anchors.csv"\n[detector.coding]\ncoding = "offset"\nsize_unit = "anchor"\n'
        'center_unit = "anchor"\n',
    )
    output = spec.detector.complete(spec.image, len(spec.labels), ())
    assert isinstance(output, CandidateBoxes)
    assert output.scales[0].priors == [(0.25, 0.5, 0.1, 0.2), (0.75, 0.5, 0.3, 0.4)]


@pytest.mark.parametrize("content", ["", "a,b,c,d\n", "0.1,0.2,0.3\n"])
def test_priors_that_are_none_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "anchors.csv").write_text(content)
    with pytest.raises(SpecError, match=r"anchors\.csv"):
        load(tmp_path, f'{IN_FULL}priors_file = "anchors.csv"\n')


@pytest.mark.parametrize(
    ("detector", "message"),
    [
        ("", "needs a head, or a decoder described in full"),
        ('head = "yolov88"', "did you mean 'yolov8'"),
        ("head = [1]", "no detector head"),
        ('decoder = "boxes"', "decoder is one of candidate_boxes, detection_tensors, detection_rows"),
        (IN_FULL.replace('"direct"', '"offsets"'), CODINGS),
        (IN_FULL.replace('coding = "direct"\n', ""), CODINGS),
        (IN_FULL.replace('"values",', '"vals",'), "axes is one of anchors, anchors_values, batch"),
        (IN_FULL.replace("_size", "_sizes"), "form is one of center_size, corner_size, corners"),
        (IN_FULL.replace("class_activation", "clas_activation"), "did you mean 'class_activation'"),
        (IN_FULL.replace("form =", "from ="), "did you mean 'form'"),
        (IN_FULL.replace("start", "strat"), "did you mean 'start'"),
        (IN_FULL.replace('"direct"\nform = "center_size"', '"offset"'), "no grid says where"),
        (
            IN_FULL.replace('["batch", "values", "candidates"] }', '["batch", "values"] }'),
            "rows and columns or",
        ),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, detector: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        load(tmp_path, detector)
    assert message in str(caught.value)


CODED = """
decoder = "candidate_boxes"
coding = {{ {coding} }}
{more}
[[detector.scales]]
{box}
classes = {{ axes = [{axes}], start = 4 }}
{scale}
"""
BOX = 'box = { axes = ["batch", "values", "candidates"] }'
GRIDS = "grids = [{ rows = 8, columns = 8 }]"


@pytest.mark.parametrize(
    ("coding", "changes", "message"),
    [
        ('coding = "direct", activation = "exp"', {}, "activation is one of"),
        ('coding = "direct", scale = 0', {}, "> 0.0"),
        ('coding = "direct", offset = nan', {}, "a number of its coding is not finite"),
        ('coding = "direct", scale_x = 2', {}, "did you mean 'scale_y'"),
        ('coding = "distance", order = "trbl"', {}, "order is one of"),
        (
            'coding = "distance", unit = "anchor"',
            {"scale": GRIDS},
            "relative to anchors, but a grid has none",
        ),
        ('coding = "corner_offset"', {"scale": GRIDS}, "relative to anchors, but a grid has none"),
        ('coding = "corner_offset"', {}, "no grid says where"),
        (
            'coding = "distance"',
            {"scale": "priors = [[0.5, 0.5, 0.1, 0.1]]"},
            "relative to cells, but priors have none",
        ),
        ('coding = "cell"', {"box": ""}, "no grid says where"),
        ('coding = "cell"', {"scale": GRIDS}, "but the coding 'cell' has none"),
        ('coding = "direct"', {"box": ""}, "only the coding 'cell' has none"),
        (
            'coding = "cell"',
            {
                "box": "",
                "axes": '"rows", "columns", "values"',
                "scale": GRIDS.replace("}", ', order = "column_major" }'),
            },
            "so candidates are not column_major",
        ),
        (
            'coding = "direct"',
            {"scale": "label = 1", "more": 'background = "last"'},
            "whose score stands alone",
        ),
        (
            'coding = "direct"',
            {"axes": '"batch", "candidates_values"'},
            "needs grids or priors that say how many",
        ),
        (
            'coding = "direct"',
            {"axes": '"anchors", "values_anchors", "candidates"'},
            "axes must name values, and perhaps anchors, once",
        ),
        ('coding = "direct"', {"scale": "label = 1", "more": 'class_activation = "softmax"'}, "no softmax"),
        ('coding = "direct"', {"scale": f"quality = {BOX[6:]}", "more": "peaks = 3"}, "peaks are of class"),
        ('coding = "direct"', {"more": 'suppression = { method = "union" }'}, "method is one of hard, merge"),
    ],
)
def test_a_coding_that_contradicts_itself_is_named(
    tmp_path: Path, coding: str, changes: dict[str, str], message: str
) -> None:
    parts = {"more": "", "box": BOX, "axes": '"batch", "values", "candidates"', "scale": ""} | changes
    with pytest.raises(SpecError) as caught:
        load(tmp_path, CODED.format(coding=coding, **parts))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "detector",
    [
        'decoder = "detection_rows"',
        'decoder = "detection_tensors"\nboxes = "b"\nscores = "s"',
    ],
)
def test_finished_boxes_are_held_to_numbers_too(tmp_path: Path, detector: str) -> None:
    with pytest.raises(SpecError, match="a number of its coding is not finite"):
        load(tmp_path, f'{detector}\n[detector.coding]\ncoding = "direct"\noffset = inf\n')


def test_columns_of_a_row_are_read_once(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="stand in the same columns"):
        load(tmp_path, 'decoder = "detection_rows"\npicture_column = 3')
    load(tmp_path, 'decoder = "detection_rows"\nscore_column = 5\none_class = true')


def test_a_detector_needs_a_threshold(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="nothing says when a box counts"):
        load(tmp_path, IN_FULL, rule="")


def test_task_and_table_belong_together(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"task is 'classify', but \[detector\] is there"):
        load(tmp_path, IN_FULL, top="")


def test_a_detectors_output_is_not_described_twice(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"in \[detector\], not in \[model\]"):
        load(tmp_path, f'{IN_FULL}\n[model]\nactivation = "sigmoid"\n')


def test_a_threshold_below_what_the_detector_gives_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"least_score = 0\.01 or lower"):
        load(tmp_path, IN_FULL, RULE.replace("0.5", "0.01"))
    load(tmp_path, f"least_score = 0.01\n{IN_FULL}", RULE.replace("0.5", "0.01"))


def test_a_known_heads_least_score_counts_for_thresholds_too(tmp_path: Path) -> None:
    spec = load(tmp_path, 'head = "blazeface"', RULE.replace("0.5", "0.3"))
    outputs = (TensorSpec("r", (1, 896, 16), "float32"), TensorSpec("c", (1, 896, 1), "float32"))
    with pytest.raises(SpecError, match=r"leaves out what scores below 0\.5"):
        spec.detector.complete(ImageInput(width=128, height=128), 1, outputs)


def test_a_grid_that_does_not_cover_the_input_is_refused(tmp_path: Path) -> None:
    spec = load(
        tmp_path,
        IN_FULL.replace('"direct"\nform = "center_size"', '"offset"')
        + "grids = [{ rows = 8, columns = 8, stride = 4 }]\n",
    )
    with pytest.raises(SpecError, match="does not cover the input of 64 x 64"):
        spec.detector.complete(spec.image, 80, ())

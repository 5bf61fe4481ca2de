"""What ``edge-sdk evaluate`` shows a person: how labels were decided, in a table that a terminal takes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import pytest
from boxed_pictures import write_coco
from msgspec import structs
from picture_specs import write_colors
from tiny_bundle import TinyBundle
from tiny_pictures import GREEN, RED, color_bundle, thing_bundle, thing_picture, write_pictures

from edge_sdk.cli.main import main
from edge_sdk.contract.manifest import FrameRule

Show: TypeAlias = Callable[[TinyBundle, Path], list[str]]


@pytest.fixture
def show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Show:
    """The lines below the bundle's name, which may be long."""

    def run(bundle: TinyBundle, samples: Path) -> list[str]:
        assert main(["evaluate", str(bundle.write(tmp_path / "x.edge")), str(samples)]) == 0
        return capsys.readouterr().out.splitlines()[1:]

    return run


@pytest.fixture
def colors(tmp_path: Path) -> Path:
    return write_colors(tmp_path / "colors", 12, seed=3)


def changed(made: TinyBundle, rules: dict[str, float], *, exclusive: bool = False) -> TinyBundle:
    output = structs.replace(made.manifest.classes, exclusive=exclusive)
    frame_rules = {label_id: FrameRule(threshold=value) for label_id, value in rules.items()}
    return replace(made, manifest=structs.replace(made.manifest, outputs=[output], frame_rules=frame_rules))


def test_one_threshold_is_said_once(show: Show, colors: Path) -> None:
    lines = show(color_bundle(), colors)
    assert "a label counts from 0.5" in lines
    assert any(line.split()[:3] == ["label", "recall", "95"] for line in lines)


def test_several_thresholds_have_a_column(show: Show, colors: Path) -> None:
    lines = show(changed(color_bundle(), {"red": 0.5, "green": 0.5, "blue": 0.75}), colors)
    assert "a label counts from its threshold" in lines
    assert [line.split()[1] for line in lines if line.startswith(("red", "blue"))] == ["0.5", "0.75"]


def test_without_rules_what_counts_is_said_as_predict_and_inspect_say_it(show: Show, colors: Path) -> None:
    assert "a label counts from 0.5" in show(changed(color_bundle(), {}), colors)
    exclusive = show(changed(color_bundle(), {}, exclusive=True), colors)
    assert "labels exclude each other: the highest counts, whatever its score" in exclusive


def test_the_highest_that_counts_has_no_threshold_in_json(
    colors: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = changed(color_bundle(), {}, exclusive=True).write(tmp_path / "exclusive.edge")
    assert main(["evaluate", str(path), str(colors), "--json"]) == 0
    labels = json.loads(capsys.readouterr().out)["labels"]
    assert [label["threshold"] for label in labels] == [None, None, None]


def test_labels_without_a_rule_are_named_where_others_have_one(show: Show, colors: Path) -> None:
    lines = show(changed(color_bundle(), {"red": 0.5}), colors)
    named = "without a rule, so judged here and never told by run or predict: green, blue"
    assert named in lines


def test_tables_fit_an_80_column_terminal(show: Show, colors: Path, tmp_path: Path) -> None:
    made = color_bundle()
    long = {"red": "dining_table"}
    labels = [structs.replace(label, id=long.get(label.id, label.id)) for label in made.manifest.labels]
    golden = structs.replace(made.manifest.golden, label_ids=[label.id for label in labels])
    bundle = replace(
        made, manifest=structs.replace(made.manifest, labels=labels, golden=golden, frame_rules={})
    )
    (colors / "red").rename(colors / "dining_table")
    lines = show(bundle, colors)
    assert any(line.startswith("dining_table ") for line in lines)
    assert max(map(len, lines)) <= 80

    write_pictures(tmp_path / "things", {"a.png": thing_picture((1, 2, RED), (5, 5, GREEN))})
    boxes = [
        {"image": 0, "name": "red", "bbox": [16, 8, 8, 8]},
        {"image": 0, "name": "green", "bbox": [40, 40, 8, 8]},
    ]
    write_coco(tmp_path / "things/instances.json", [("a.png", 64, 64)], boxes, "red", "green")
    lines = show(thing_bundle(), tmp_path / "things")
    assert "a label counts from 0.5" in lines
    assert any(
        line.split() == ["red", *2 * ["1.000", "1/1", "0.03-1.00"], "1.000", "1.000"] for line in lines
    )
    assert max(map(len, lines)) <= 80


def test_mistakes_of_exclusive_labels_are_told_below(show: Show, colors: Path) -> None:
    (colors / "red/0.png").rename(colors / "green/really red.png")
    lines = show(changed(color_bundle(), {}, exclusive=True), colors)
    assert lines[lines.index("most frequent mistakes") + 3].split() == ["green", "red", "1"]
    assert "most frequent mistakes" not in show(color_bundle(), colors)


def test_missed_things_and_false_boxes_are_counted(show: Show, tmp_path: Path) -> None:
    pictures = {f"{number}.png": thing_picture((1, 2, RED), (number, 5, GREEN)) for number in range(8)}
    write_pictures(tmp_path / "things", pictures)
    boxes = [{"image": number, "name": "red", "bbox": [16, 8, 8, 8]} for number in range(8)]
    boxes.append({"image": 0, "name": "red", "bbox": [32, 32, 8, 8]})
    sizes = [(name, 64, 64) for name in pictures]
    write_coco(tmp_path / "things/instances.json", sizes, boxes, "red", "green")
    lines = show(thing_bundle(), tmp_path / "things")
    assert "at threshold 1 is missed, and 8 boxes are false" in lines
    (precision,) = [line for line in lines if line.startswith("mAP50 ")]
    assert " (~95 %: " in precision
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("painted", "crowds", "told"),
    [
        ([], [], []),
        ([], [[0, 0, 64, 64]], []),
        ([(1, 2, RED)], [], ["red", "none", "0.000", "0/1", "0.00-0.97"]),
    ],
    ids=["nothing there, nothing found", "only a crowd", "only a false box"],
)
def test_without_a_true_box_there_is_no_average_precision(
    show: Show,
    tmp_path: Path,
    painted: list[tuple[int, int, tuple[int, int, int]]],
    crowds: list[list[int]],
    told: list[str],
) -> None:
    things = write_pictures(tmp_path / "things", {"a.png": thing_picture(*painted)})
    boxes = [{"image": 0, "name": "red", "bbox": box, "iscrowd": 1} for box in crowds]
    write_coco(things / "instances.json", [("a.png", 64, 64)], boxes, "red", "green")
    lines = show(thing_bundle(), things)
    assert "mAP50 none, mAP50-95 none: there is no true box that counts" in lines
    assert [line.split() for line in lines if line.startswith("red")] == [told] * bool(told)


def test_average_precision_of_nothing_is_null_in_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    things = write_pictures(tmp_path / "things", {"a.png": thing_picture((1, 2, RED))})
    write_coco(things / "instances.json", [("a.png", 64, 64)], [], "red", "green")
    bundle = thing_bundle().write(tmp_path / "x.edge")
    assert main(["evaluate", str(bundle), str(things), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["boxes"], found["map50"], found["map50_95"]) == (0, None, None)

"""Labels that are exchanged are refused; a model that cannot tell two kinds from each other is not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from converters.data.picture_set import Picture, PictureSet, TrueBox
from converters.proof.acceptance import Acceptance
from converters.proof.box_reading import Decoded, weigh_boxes
from converters.proof.label_check import check_labels
from edge_sdk.contract.values import Detections
from edge_sdk.errors import SpecError

LABELS = ("cat", "dog", "wolf")
THRESHOLDS = dict.fromkeys(LABELS, 0.5)
BOX = (10.0, 10.0, 50.0, 50.0)


def told(*things: tuple[str, str, int]) -> list[str]:
    """What is said of a model that finds everything: what things are, what they are called, how many."""
    pictures: list[Picture] = []
    found: list[Detections] = []
    for label, called, n in things:
        for _ in range(n):
            name = f"{len(pictures)}.png"
            truth = (TrueBox(label, BOX, ""),)
            pictures.append(Picture(name, Path(name), frozenset({label}), "", 100, 100, truth))
            box, score = np.array([BOX], np.float32), np.array([0.9], np.float32)
            found.append(Detections(box, score, np.array([LABELS.index(called)], np.int64)))
    shown = PictureSet(Path("set"), LABELS, tuple(pictures))
    case: Any = SimpleNamespace(spec=SimpleNamespace(thresholds=THRESHOLDS), acceptance=Acceptance({}))
    return check_labels(case, Decoded(shown, weigh_boxes(shown, found, THRESHOLDS), []))


@pytest.mark.parametrize("dogs", [4, 40])
def test_a_model_that_takes_dogs_for_wolves_is_warned_of_not_refused(dogs: int) -> None:
    (doubt,) = told(("cat", "cat", 5), ("dog", "wolf", dogs))
    assert f"what it calls 'wolf' is 'dog' ({dogs} of {dogs} boxes)" in doubt


def test_labels_that_stand_for_each_other_are_refused() -> None:
    with pytest.raises(SpecError, match="labels are not in the model's order"):
        told(("cat", "cat", 5), ("dog", "wolf", 8), ("wolf", "dog", 8))


def test_labels_in_order_are_left_alone() -> None:
    assert told(("cat", "cat", 5), ("dog", "dog", 4), ("dog", "wolf", 2)) == []

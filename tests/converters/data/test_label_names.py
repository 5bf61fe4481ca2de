"""Other people's names for the model's labels."""

from __future__ import annotations

import pytest

from converters.data.label_names import LabelNames
from edge_sdk.contract.manifest import Label

NAMES = LabelNames(
    [Label(id="tv", name="TV"), Label(id="p", name="Person"), Label(id="potted_plant", name="Plant in a pot")]
)


@pytest.mark.parametrize(
    ("name", "label_id"),
    [
        ("tv", "tv"),
        ("tvmonitor", "tv"),
        ("TV monitor", "tv"),
        ("person", "p"),
        ("Potted Plant", "potted_plant"),
        ("pottedplant", "potted_plant"),
        ("plant in a pot", "potted_plant"),
        ("sofa", None),
    ],
)
def test_a_name_is_found_by_id_display_name_or_known_spelling(name: str, label_id: str | None) -> None:
    assert NAMES.find(name) == label_id


def test_the_nearest_label_is_offered() -> None:
    assert NAMES.hint("potted plants") == "did you mean 'potted_plant'?"


def test_a_display_name_of_two_labels_means_neither() -> None:
    names = LabelNames([Label(id="crane_bird", name="Crane"), Label(id="crane_machine", name="crane")])
    assert names.find("crane") is None
    assert names.find("crane_machine") == "crane_machine"

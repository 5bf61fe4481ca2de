"""A few of many are chosen from end to end."""

from __future__ import annotations

from itertools import pairwise

import pytest

from converters.data.even_choice import spread


@pytest.mark.parametrize(("n", "most"), [(9, 8), (15, 8), (64, 8), (1000, 32)])
def test_a_choice_reaches_from_end_to_end_and_leaves_equal_gaps(n: int, most: int) -> None:
    chosen = spread(range(n), most)
    assert len(set(chosen)) == most
    assert chosen[0] < n / most
    assert chosen[-1] >= n - n / most
    gaps = [after - before for before, after in pairwise(chosen)]
    assert max(gaps) - min(gaps) <= 1


def test_where_there_are_few_all_are_taken() -> None:
    assert spread("abc", 3) == ["a", "b", "c"]
    assert spread("", 3) == []

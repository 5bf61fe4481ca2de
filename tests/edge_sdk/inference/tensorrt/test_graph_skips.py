"""Tests on a GPU skip a CUDA graph only where nobody but pycuda or TensorRT itself refuses it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from gpu_graph import is_not_ours


@pytest.mark.parametrize(
    ("release", "behaviour", "by", "is_skipped"),
    [
        ("10.3", "", "pycuda", True),
        ("rtx", "no_capture", "bindings", True),
        ("10.3", "breaks_capture", "bindings", False),
    ],
)
def test_a_capture_that_fails_is_no_reason_to_skip(
    install: Callable[..., Any],
    loaded: Callable[..., Any],
    release: str,
    behaviour: str,
    by: str,
    *,
    is_skipped: bool,
) -> None:
    install(release, behaviour=behaviour, cuda=by)
    assert is_not_ours(loaded().graph_refusal) is is_skipped

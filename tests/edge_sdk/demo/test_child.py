"""What the demo runs in the background is waited for by what it says."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from edge_sdk.demo.children import Child
from edge_sdk.demo.demonstration import Demonstration
from edge_sdk.errors import EdgeSdkError


def test_words_are_waited_for(tmp_path: Path) -> None:
    with Child("predict", ["--help"], tmp_path / "log") as child:
        child.wait_until_it_says("usage: edge-sdk predict")
    assert "usage: edge-sdk predict" in (tmp_path / "log").read_text(encoding="utf-8")


def test_who_ends_without_a_word_is_told_with_its_end(tmp_path: Path) -> None:
    with (
        Child("predict", ["--top", "none"], tmp_path / "log") as child,
        pytest.raises(EdgeSdkError, match="'edge-sdk predict' failed with exit code 2"),
    ):
        child.wait_until_it_says("connected to")


def test_no_word_in_time_is_told_with_the_log(tmp_path: Path) -> None:
    options = ["--broker", "mqtt://127.0.0.1:9", "--database", str(tmp_path / "alerts.db"), "--wait"]
    with (
        Child("monitor", options, tmp_path / "log") as child,
        pytest.raises(EdgeSdkError, match="did not say 'connected to' within 0 s") as failure,
    ):
        child.wait_until_it_says("connected to", timeout_s=0.0)
    assert str(tmp_path / "log") in str(failure.value.hint)


def test_the_monitor_is_connected_before_a_device_is_started(tmp_path: Path) -> None:
    """A device would send again only after a minute what a broker took before that."""
    with ExitStack() as servers:
        Demonstration(tmp_path, quiet=True)._start_server(servers)
        assert "connected to" in (tmp_path / "monitor.log").read_text(encoding="utf-8")

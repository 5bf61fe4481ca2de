from __future__ import annotations

import re
from pathlib import Path

import pytest

from device.config import (
    default_device_name,
    default_outbox_folder,
    load_config,
)
from device.sources.uri import parse_source
from edge_sdk.contract.topics import Topics
from edge_sdk.errors import ConfigError, UsageError

FULL = """
bundle = "forest.edge"
source = "recordings"
[device]
site = "sungai-utik"
name = "box-07"
[broker]
url = "mqtts://broker.example.org"
user = "box"
password_file = "secret"
receiver_id = "monitor"
[outbox]
folder = "/var/lib/edge-sdk"
disk_budget_mb = 64
[inference]
variant = "tflite-int8"
threads = 2
[rules.gunshot]
threshold = 0.9
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "device.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_relative_paths_are_taken_from_the_configs_own_folder(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, FULL))
    assert config.bundle == str(tmp_path / "forest.edge")
    assert config.source == str(tmp_path / "recordings")
    assert config.broker.password_file == str(tmp_path / "secret")
    assert config.outbox_folder == Path("/var/lib/edge-sdk")


def test_a_relative_source_uri_is_taken_from_the_configs_own_folder(tmp_path: Path) -> None:
    text = FULL.replace('"recordings"', '"file://recordings?pace=realtime"')
    address = parse_source(load_config(written(tmp_path, text)).source)
    assert (address.path, address.realtime) == (tmp_path / "recordings", True)


def test_the_home_of_nobody_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="home folder in ~nosuch"):
        load_config(written(tmp_path, FULL.replace('"forest.edge"', '"~nosuch/forest.edge"')))


@pytest.mark.parametrize("name", ["forest.edge", "recordings", "/var/lib/edge-sdk"])
def test_a_path_that_cannot_be_is_wrong_use(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="NUL"):
        load_config(written(tmp_path, FULL.replace(f'"{name}"', '"a\\u0000b"')))


def test_an_absolute_source_uri_is_left_as_it_is(tmp_path: Path) -> None:
    text = FULL.replace('"recordings"', '"file:///data?pace=realtime"')
    assert load_config(written(tmp_path, text)).source == "file:///data?pace=realtime"


def test_receipts_are_awaited_where_a_receiver_is_named_and_only_there(tmp_path: Path) -> None:
    assert load_config(written(tmp_path, FULL)).broker.effective_delivery == "receipt"
    without = FULL.replace('receiver_id = "monitor"', "")
    assert load_config(written(tmp_path, without)).broker.effective_delivery == "puback"


@pytest.mark.parametrize(
    ("before", "after", "message", "hint"),
    [
        ("threads", "thread", "inference.thread", "threads"),
        ("[broker]", "[brokr]", "brokr", "broker"),
        ("disk_budget_mb", "disk_budget", "disk_budget", "disk_budget_mb"),
        ("threshold", "treshold", "rules.gunshot.treshold", "threshold"),
    ],
)
def test_a_typo_is_refused_with_the_nearest_name(
    tmp_path: Path, before: str, after: str, message: str, hint: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)) as refused:
        load_config(written(tmp_path, FULL.replace(before, after)))
    assert hint in (refused.value.hint or "")
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('site = "sungai-utik"', 'site = "Sungai Utik"', "device.site must be .* such as box-07, not"),
        ("threads = 2", "threads = 0", "threads"),
        ("threshold = 0.9", "threshold = 90", "threshold"),
        ('receiver_id = "monitor"', 'delivery = "receipt"', "receiver_id"),
        ('receiver_id = "monitor"', 'delivery = "maybe"', "delivery"),
        ('bundle = "forest.edge"', "", "bundle"),
        ("[device]", "[device", "not TOML"),
    ],
)
def test_a_value_that_does_not_hold_is_refused_by_name(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(written(tmp_path, FULL.replace(before, after)))


def test_a_missing_config_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no file"):
        load_config(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("RaspberryPi", "raspberrypi"),
        ("box.forest.example", "box"),
        ("Büro Rechner", "b-ro-rechner"),
        ("é", "device"),
        ("x" * 80, "x" * 64),
    ],
)
def test_the_hosts_name_is_made_fit_for_a_topic(
    monkeypatch: pytest.MonkeyPatch, host: str, name: str
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: host)
    assert default_device_name() == name
    assert Topics("default", name).device == name


def test_the_outbox_lies_in_the_users_state_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_outbox_folder("s", "d") == tmp_path / "edge-sdk" / "s.d"

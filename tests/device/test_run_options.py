from __future__ import annotations

from pathlib import Path

import pytest

from device.config import RunConfig
from device.run_options import add_run_options, run_config
from edge_sdk.cli.parser import VerbParser
from edge_sdk.errors import ConfigError, UsageError


def parsed(*words: str) -> RunConfig:
    parser = VerbParser()
    add_run_options(parser)
    return run_config(parser.parse_args(words))


def test_a_bundle_with_source_and_broker_is_enough() -> None:
    config = parsed("x.edge", "--source", "dawn.wav", "--broker", "mqtt://localhost")
    assert (config.bundle, config.source, config.broker.url) == ("x.edge", "dawn.wav", "mqtt://localhost")
    assert config.device.site == "default"
    assert config.broker.effective_delivery == "puback"


def test_options_override_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "box.toml"
    path.write_text(
        'bundle = "x.edge"\nsource = "a"\n[broker]\nurl = "mqtt://a"\n[rules.gunshot]\nhits = 1\n',
        encoding="utf-8",
    )
    words = "--source b --broker mqtt://b --site s --device d --variant v --threads 2 --receiver-id m"
    config = parsed(str(path), *words.split(), "--outbox", "o", "--disk-budget-mb", "8", "--user", "u")
    assert config.bundle == str(tmp_path / "x.edge")
    assert (config.source, config.broker.url, config.broker.user) == ("b", "mqtt://b", "u")
    assert (config.device.site, config.device.name) == ("s", "d")
    assert (config.inference.variant, config.inference.threads) == ("v", 2)
    assert (config.outbox.folder, config.outbox.disk_budget_mb) == ("o", 8)
    assert config.broker.effective_delivery == "receipt"
    assert config.rules["gunshot"].hits == 1


def test_a_bundle_alone_is_wrong_use() -> None:
    with pytest.raises(UsageError, match="--source and --broker"):
        parsed("x.edge")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--site", "Sungai Utik"], "device.site must be 1 to 64 small letters, .* such as box-07, not"),
        (["--delivery", "receipt"], "broker.receiver_id"),
    ],
)
def test_an_option_that_does_not_hold_is_refused_in_words(words: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=f"does not hold: .*{said}"):
        parsed("x.edge", "--source", "a", "--broker", "mqtt://b", *words)


@pytest.mark.parametrize("option", ["--threads", "--disk-budget-mb"])
@pytest.mark.parametrize("number", ["0", "-1", "two"])
def test_a_number_that_does_not_hold_is_refused_in_words(option: str, number: str) -> None:
    with pytest.raises(UsageError, match=f"argument {option}: '?{number}'? is not a whole number"):
        parsed("x.edge", "--source", "a", "--broker", "mqtt://b", option, number)


def test_a_missing_option_is_named_alone() -> None:
    with pytest.raises(UsageError, match="give --broker too"):
        parsed("x.edge", "--source", "a")

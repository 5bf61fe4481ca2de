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
        (
            ["--site", "Sungai Utik"],
            '^--site must be 1 to 64 small letters, .* such as box-07, not "Sungai Utik"',
        ),
        (["--device", "Box 7"], "^--device must be 1 to 64 small letters"),
        (["--delivery", "receipt"], "^--delivery receipt needs --receiver-id"),
    ],
)
def test_an_option_that_does_not_hold_is_refused_in_words(words: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parsed("x.edge", "--source", "a", "--broker", "mqtt://b", *words)


def test_an_option_that_is_none_of_a_few_words_is_told_with_the_nearest() -> None:
    parser = VerbParser()
    add_run_options(parser)
    arguments = parser.parse_args(["x.edge", "--source", "a", "--broker", "mqtt://b"])
    arguments.delivery = "recipt"  # of a program's own arguments
    with pytest.raises(ConfigError, match=r"^--delivery: .* is not known") as caught:
        run_config(arguments)
    assert caught.value.hint == "did you mean 'receipt'? delivery is one of puback, receipt"


def test_a_receiver_of_the_file_is_enough_for_receipts_that_an_option_asks_for(tmp_path: Path) -> None:
    path = tmp_path / "box.toml"
    text = 'bundle = "x.edge"\nsource = "a"\n[broker]\nurl = "mqtt://a"\ndelivery = "puback"\n'
    path.write_text(f'{text}receiver_id = "m"\n', encoding="utf-8")
    assert parsed(str(path), "--delivery", "receipt").broker.effective_delivery == "receipt"


@pytest.mark.parametrize("option", ["--threads", "--disk-budget-mb"])
@pytest.mark.parametrize("number", ["0", "-1", "two"])
def test_a_number_that_does_not_hold_is_refused_in_words(option: str, number: str) -> None:
    with pytest.raises(UsageError, match=f"argument {option}: '?{number}'? is not a whole number"):
        parsed("x.edge", "--source", "a", "--broker", "mqtt://b", option, number)


def test_a_missing_option_is_named_alone() -> None:
    with pytest.raises(UsageError, match="give --broker too"):
        parsed("x.edge", "--source", "a")

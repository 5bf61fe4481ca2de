"""What does not hold in CONFIG.toml is told with its key and what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.config import load_config, load_inference
from edge_sdk.errors import ConfigError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "box.toml"


def refused(path: Path, text: str) -> ConfigError:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_inference(path)
    assert "`" not in caught.value.message  # no word of the library that reads it
    return caught.value


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        (
            '[inference.onnx]\nproviders = "cpu"\n',
            'inference.onnx.providers must be a list, not "cpu"',
            'write providers = ["cpu"]',
        ),
        (
            '[inference]\nbackends = "onnx"\n',
            'inference.backends must be a list, not "onnx"',
            'write backends = ["onnx"]',
        ),
        (
            "[inference]\nbackends = []\n",
            "inference.backends must be a list of at least 1 item, not []",
            "name one at least, or leave backends out",
        ),
        (
            '[inference.onnx]\nspinning = "yes"\n',
            'inference.onnx.spinning must be true or false, not "yes"',
            "write spinning = true, without quotes",
        ),
        (
            "[inference.onnx]\nspinning = 1\n",
            "inference.onnx.spinning must be true or false, not 1",
            "write spinning = true, or = false",
        ),
        (
            '[inference]\nthreads = "2"\n',
            'inference.threads must be a whole number, not "2"',
            "write threads = 2, without quotes",
        ),
        ("[inference]\nthreads = 0\n", "inference.threads must be a whole number of at least 1, not 0", None),
        (
            "[inference]\nthreads = 65\n",
            "inference.threads must be a whole number of at most 64, not 65",
            None,
        ),
        ("[device]\nsite = 5\n", "device.site must be text, not 5", 'write site = "5", with quotes'),
        (
            "inference = 3\n",
            "inference must be a table, not 3",
            "write its keys below [inference]",
        ),
        (
            '[inference.onnx]\nproviders = ["cpu", "cdua"]\n',
            'inference.onnx.providers: "cdua" is not known',
            "did you mean 'cuda'? providers is one of coreml, cpu, cuda, openvino, tensorrt, xnnpack",
        ),
        (
            "[rules.axe]\nhits = 2\n[rules.gunshot]\nthreshold = 90\n",
            "rules.gunshot.threshold must be a number of at most 1, not 90",
            None,
        ),
    ],
)
def test_a_value_of_the_wrong_kind_is_told_with_its_key_and_what_to_write(
    path: Path, text: str, said: str, hint: str | None
) -> None:
    error = refused(path, text)
    assert error.message == f"{path}: {said}"
    assert error.hint == hint


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        (
            'broker = "mqtt://u:geheim@host"\n',
            "broker must be a table, not text",
            "write its keys below [broker]",
        ),
        ('[broker]\nurl = ["mqtt://u:geheim@x"]\n', "broker.url must be text, not a list", None),
        (
            "[broker]\nurl = 20261123\n",
            "broker.url must be text, not a number",
            'write url = "...", with quotes',
        ),
        (
            '[broker]\nurl = "mqtt://x"\ndelivery = "geheim"\n',
            "broker.delivery: what is written there is not known",
            "delivery is one of puback, receipt",
        ),
        (
            '[broker]\nurl = "mqtt://x"\ndelivery = "geheim - at `$.device`"\n',
            "broker.delivery: what is written there is not known",
            "delivery is one of puback, receipt",
        ),
        (
            '[device]\nsite = "mqtt://u:geheim@host"\n',
            "device.site must be 1 to 64 small letters, digits, '_' and '-', such as box-07",
            None,
        ),
        (
            '[inference]\nthreads = "mqtt://u:geheim@host"\n',
            "inference.threads must be a whole number, not text",
            None,
        ),
        (
            '[inference]\nbackends = "mqtt://u:geheim@host"\n',
            "inference.backends must be a list, not text",
            'write backends = ["..."]',
        ),
        (
            '[inference.onnx]\nproviders = ["cpu", "mqtt://u:geheim@host"]\n',
            "inference.onnx.providers.1: what is written there is not known",
            "providers is one of coreml, cpu, cuda, openvino, tensorrt, xnnpack",
        ),
        (
            '[[inference]]\npassword = "geheim"\n',
            "inference must be a table, not a list",
            None,
        ),
        (
            '[rules]\nmqtt_Password = "geheim"\n',
            "rules.mqtt_Password must be a table, not text",
            "write its keys below [rules.mqtt_Password]",
        ),
    ],
)
def test_what_may_be_a_password_is_told_by_its_kind_alone(
    path: Path, text: str, said: str, hint: str | None
) -> None:
    error = refused(path, text)
    assert error.message == f"{path}: {said}"
    assert error.hint == hint


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[inference.onnx]\nproviders = ["cpu", "cpu"]\n',
            "[inference.onnx]: providers names 'cpu' twice",
        ),
        (
            '[inference]\nbackends = ["onnx", "tflite", "onnx"]\n',
            "[inference]: backends names 'onnx' twice",
        ),
    ],
)
def test_a_name_that_is_there_twice_is_refused(path: Path, text: str, said: str) -> None:
    assert refused(path, text).message == f"{path}: {said}"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('variant = "tflite-int8"\n', "'variant' belongs below [inference]"),
        ("[onnx]\nspinning = true\n", "write [inference.onnx]"),
        ("[inference]\nspinning = true\n", "'spinning' belongs below [inference.onnx]"),
        ('url = "mqtt://localhost"\n', "'url' belongs below [broker]"),
        ('[infrence]\nvariant = "tflite-int8"\n', "did you mean 'inference'?"),
    ],
)
def test_a_key_in_the_wrong_place_is_told_where_it_belongs(path: Path, text: str, hint: str) -> None:
    error = refused(path, text)
    assert "unknown key" in error.message
    assert error.hint == hint


def test_a_table_that_is_there_must_be_whole_and_one_that_is_not_may_be_missing(path: Path) -> None:
    error = refused(path, '[broker]\nreceiver_id = "monitor"\n[inference]\nthreads = 2\n')
    assert error.message == f"{path}: broker.url is missing"
    assert error.hint == "add url below [broker]: a table that is there must be whole"
    path.write_text("[inference]\nthreads = 2\n")
    assert load_inference(path).threads == 2


def test_settings_alone_are_not_enough_to_run_and_it_is_told_what_they_are_for(path: Path) -> None:
    path.write_text("[inference]\nthreads = 2\n")
    with pytest.raises(ConfigError, match="bundle is missing") as caught:
        load_config(path)
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("needed are: bundle, source, broker. ")
    assert "behind --config" in caught.value.hint


def test_what_is_missing_in_a_file_that_does_not_hold_anyway_is_for_no_other_use(path: Path) -> None:
    path.write_text('source = "recordings"\n[broker]\nuser = "box"\n')
    with pytest.raises(ConfigError, match="is missing") as caught:
        load_config(path)
    assert "--config" not in (caught.value.hint or "")


def test_a_file_that_is_no_text_or_a_folder_is_told_as_such(path: Path, tmp_path: Path) -> None:
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"box\.toml is not text in UTF-8"):
        load_inference(path)
    with pytest.raises(ConfigError, match="is a folder") as caught:
        load_inference(tmp_path)
    assert caught.value.hint == "name the file in it"

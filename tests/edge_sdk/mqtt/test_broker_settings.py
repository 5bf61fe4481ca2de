"""The address of a broker, and the secrets that do not belong in it."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from edge_sdk.errors import ConfigError
from edge_sdk.mqtt.broker_arguments import add_broker_arguments, broker_settings
from edge_sdk.mqtt.client import MqttConnection
from edge_sdk.mqtt.settings import BrokerSettings


@pytest.mark.parametrize(
    ("url", "host", "port", "tls"),
    [
        ("mqtt://broker", "broker", 1883, False),
        ("mqtts://broker.example.org", "broker.example.org", 8883, True),
        ("mqtt://127.0.0.1:4222/", "127.0.0.1", 4222, False),
        ("mqtts://[::1]:99", "::1", 99, True),
    ],
)
def test_reads_scheme_host_and_port(url: str, host: str, port: int, *, tls: bool) -> None:
    settings = BrokerSettings.from_url(url, environment={})
    assert (settings.host, settings.port, settings.tls) == (host, port, tls)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "broker",
        "broker:1883",
        "http://broker",
        "mqtt://",
        "mqtt://broker:port",
        "mqtt://broker:70000",
        "mqtt://broker:0",
        "mqtt://broker/path",
        "mqtt://broker?clean=1",
    ],
)
def test_refuses_what_is_no_address_and_shows_one(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        BrokerSettings.from_url(url, environment={})
    assert "mqtt://host:port" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "url",
    [
        "mqtt://ranger:s3cret@broker",
        "mqtt://ranger@broker",
        "amqp://ranger:s3cret@broker",
        "ranger:s3cret@broker",
        "mqtt:/ranger:s3cret@broker",
        "mqtt://broker/ranger:s3cret@x",
        "mqtt://ranger:s3cret@broker:port",
    ],
)
def test_refuses_secrets_in_the_address_without_repeating_them(url: str) -> None:
    with pytest.raises(ConfigError, match="user or a password") as caught:
        BrokerSettings.from_url(url, environment={})
    assert "EDGE_SDK_MQTT_PASSWORD" in (caught.value.hint or "")
    assert "s3cret" not in str(caught.value)


def test_user_and_password_come_from_the_environment() -> None:
    variables = {"EDGE_SDK_MQTT_USER": "box-7", "EDGE_SDK_MQTT_PASSWORD": "s3cret"}
    settings = BrokerSettings.from_url("mqtt://broker", environment=variables)
    assert (settings.user, settings.password) == ("box-7", "s3cret")
    assert "s3cret" not in repr(settings)


def test_user_and_password_file_go_before_the_environment(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("from file\n", encoding="utf-8")
    variables = {"EDGE_SDK_MQTT_USER": "other", "EDGE_SDK_MQTT_PASSWORD": "other"}
    settings = BrokerSettings.from_url(
        "mqtt://broker", user="box-7", password_file=secret, environment=variables
    )
    assert (settings.user, settings.password) == ("box-7", "from file")


def test_a_password_without_a_user_is_an_error() -> None:
    with pytest.raises(ConfigError, match="no user"):
        BrokerSettings.from_url("mqtt://broker", environment={"EDGE_SDK_MQTT_PASSWORD": "s3cret"})


@pytest.mark.parametrize("content", ["", "\n"])
def test_an_empty_password_file_is_an_error(tmp_path: Path, content: str) -> None:
    secret = tmp_path / "password"
    secret.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match="empty"):
        BrokerSettings.from_url("mqtt://broker", user="box-7", password_file=secret, environment={})


def test_a_missing_password_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"password_file \S*nowhere: No such file or directory$"):
        BrokerSettings.from_url("mqtt://broker", user="u", password_file=tmp_path / "nowhere", environment={})


def test_certificates_need_tls(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not encrypted"):
        BrokerSettings.from_url("mqtt://broker", ca=tmp_path / "ca.pem", environment={})


def test_a_certificate_needs_its_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="belong together"):
        BrokerSettings.from_url("mqtts://broker", cert=tmp_path / "cert.pem", environment={})


def test_a_ca_file_that_holds_no_certificate_is_named(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text("not a certificate", encoding="utf-8")
    settings = BrokerSettings.from_url("mqtts://broker", ca=ca, environment={})
    with pytest.raises(ConfigError, match=r"ca\.pem"):
        settings.ssl_context()


def test_without_tls_there_is_no_context() -> None:
    assert BrokerSettings.from_url("mqtt://broker", environment={}).ssl_context() is None


@pytest.mark.parametrize(
    ("url", "variables", "exposed"),
    [
        ("mqtt://broker.example.org", {"USER": "u", "PASSWORD": "s3cret"}, "user name and password go to"),
        ("mqtt://192.168.1.7", {"USER": "u", "PASSWORD": "s3cret"}, "user name and password go to"),
        ("mqtt://broker", {"USER": "u"}, "the user name goes to"),
        ("mqtt://broker", {}, None),
        ("mqtts://broker", {"USER": "u", "PASSWORD": "s3cret"}, None),
        ("mqtt://localhost", {"USER": "u", "PASSWORD": "s3cret"}, None),
        ("mqtt://127.0.0.1:1883", {"USER": "u", "PASSWORD": "s3cret"}, None),
        ("mqtt://[::1]", {"USER": "u", "PASSWORD": "s3cret"}, None),
    ],
)
def test_secrets_that_cross_the_network_readable_are_told(
    url: str, variables: dict[str, str], exposed: str | None
) -> None:
    environment = {f"EDGE_SDK_MQTT_{name}": value for name, value in variables.items()}
    told = BrokerSettings.from_url(url, environment=environment).exposure
    assert (told is None) if exposed is None else (told is not None and told.startswith(exposed))
    assert "s3cret" not in (told or "")


def test_a_connection_warns_of_a_password_that_crosses_the_network_readable(
    caplog: pytest.LogCaptureFixture,
) -> None:
    MqttConnection(BrokerSettings("broker.example.org", 1883, user="u", password="s3cret"), client_id="a")
    (warning,) = caplog.messages
    assert "unencrypted" in warning
    assert "s3cret" not in warning


def test_a_command_line_warns_of_it_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EDGE_SDK_MQTT_PASSWORD", "s3cret")
    parser = argparse.ArgumentParser()
    add_broker_arguments(parser)
    for url, warned in (("mqtt://broker", True), ("mqtts://broker", False)):
        broker_settings(parser.parse_args(["--broker", url, "--user", "u"]))
        out, err = capsys.readouterr()
        assert ("warning: user name and password go to mqtt://broker:1883" in err) is warned
        assert out == ""


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("mqtt://Broker.example.org", "broker.example.org"),
        ("mqtts://broker.example.org", "broker.example.org"),
        ("mqtt://broker:1884", "broker:1884"),
        ("mqtts://broker:1883", "broker:1883"),
        ("mqtts://[::1]:99", "[::1]:99"),
    ],
)
def test_a_broker_keeps_its_name_when_it_gets_tls_on_the_usual_port(url: str, name: str) -> None:
    assert BrokerSettings.from_url(url, environment={}).name == name

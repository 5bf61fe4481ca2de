"""A hint names the folder of engines, unless ``edge-sdk build`` goes there by itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from engine_builds import build, finished
from fake_installation import FakeInstallation
from gpu_onnx import scaled_onnx

from edge_sdk.errors import BackendError
from edge_sdk.inference.tensorrt.cuda import open_cuda
from edge_sdk.inference.tensorrt.engine_cache import EngineCache, EngineRecord
from edge_sdk.inference.tensorrt.engine_folder import build_command, default_folder, rebuild_hint
from edge_sdk.inference.tensorrt.open import open_engine
from edge_sdk.inference.tensorrt.sealed_file import read_seal, read_sealed
from edge_sdk.inference.tensorrt.trial_mark import remove_mark, write_mark

Install = Callable[..., None]


def hint_of_opening(cache: Path | None) -> str:
    with pytest.raises(BackendError) as caught:
        open_engine(scaled_onnx(), name="onnx-float32", cache=cache)
    return str(caught.value.hint)


def test_the_default_folder_is_not_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert rebuild_hint(default_folder()).startswith("`edge-sdk build BUNDLE` builds")
    assert build_command(default_folder(), "--config CONFIG.toml").endswith(" BUNDLE --config CONFIG.toml")


def test_another_folder_is_named_as_a_shell_takes_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert build_command(Path("our engines")) == f"edge-sdk build BUNDLE --cache '{tmp_path}/our engines'"


def test_without_a_home_no_folder_is_the_default_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert "--cache /srv/engines`" in rebuild_hint(Path("/srv/engines"))


def test_a_missing_engine_is_asked_for_where_it_is_looked_for(
    install: Install, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    install("10.3")
    assert f"`edge-sdk build BUNDLE --cache {cache}` builds" in hint_of_opening(cache)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    assert "`edge-sdk build BUNDLE` builds" in hint_of_opening(None)


def test_an_engine_of_no_use_is_to_be_built_or_tried_where_it_is(
    install: Install, installation: FakeInstallation, cache: Path
) -> None:
    install("10.3")
    path = Path(finished(build(cache)).path)
    named = f"`edge-sdk build BUNDLE --cache {cache}`"
    remove_mark(path)
    assert f"{named} tries it" in hint_of_opening(cache)
    record, plan = read_sealed(path, EngineRecord)
    EngineCache(cache).write(record, bytes(plan).replace(b"10.3.0", b"10.2.0"))
    write_mark(path, open_cuda().gpu, seal=read_seal(path))
    assert f"{named} builds" in hint_of_opening(cache), "refused"
    path.write_bytes(path.read_bytes()[:-1])
    assert f"{named} builds" in hint_of_opening(cache), "damaged"


def test_the_folder_is_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "edge-sdk/engines"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/ranger")
    assert default_folder() == Path("/home/ranger/.cache/edge-sdk/engines")


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(BackendError, match="no folder for engines") as caught:
        default_folder()
    assert "XDG_CACHE_HOME" in str(caught.value.hint)

"""TensorRT is found, told apart from TensorRT-RTX, and used by what it has."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_gpu import FakeGpu
from fake_tensorrt import RELEASES, fake_tensorrt
from fake_trt_release import enum

from edge_sdk.errors import BackendError, BackendUnavailableError, MissingExtraError
from edge_sdk.inference.tensorrt import library as library_module
from edge_sdk.inference.tensorrt.library import find_library, loaded_build_number, require_installed
from edge_sdk.inference.tensorrt.products import TENSORRT, TENSORRT_RTX

Install = Callable[..., None]


@pytest.mark.parametrize(
    ("release", "product"), [("8.6", TENSORRT), ("10.3", TENSORRT), ("11.4", TENSORRT), ("rtx", TENSORRT_RTX)]
)
def test_what_is_installed_is_called_by_its_own_name(install: Install, release: str, product: str) -> None:
    install(release)
    library = find_library()
    assert str(library) == f"{product} {RELEASES[release]}"
    assert library.is_rtx == (product == TENSORRT_RTX)


def test_tensorrt_comes_before_tensorrt_rtx(
    install: Install, gpu: FakeGpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("10.3")
    monkeypatch.setitem(sys.modules, "tensorrt_rtx_bindings", fake_tensorrt("rtx", gpu))
    assert find_library().product == TENSORRT
    assert find_library(TENSORRT_RTX).product == TENSORRT_RTX


def test_without_any_the_hint_tells_where_it_comes_from(install: Install) -> None:
    install(None)
    for look in (find_library, require_installed):
        with pytest.raises(MissingExtraError, match="'tensorrt' is not installed") as caught:
            look()
        assert "JetPack" in str(caught.value.hint)
        assert "edge-sdk[tensorrt-rtx]" in str(caught.value.hint)


def test_one_that_is_there_is_found_without_loading_it(install: Install) -> None:
    install("8.6")
    require_installed()


@pytest.mark.parametrize(
    "content",
    [
        "raise ImportError('libnvinfer.so.10: cannot open shared object file')",
        "raise OSError('libnvinfer.so.10: cannot open shared object file')",
        "import a_module_that_libnvinfer_needs",
    ],
)
def test_one_that_does_not_load_is_not_called_missing(
    install: Install, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str
) -> None:
    install(None)
    (tmp_path / "tensorrt.py").write_text(content)
    monkeypatch.delitem(sys.modules, "tensorrt")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        BackendError, match=r"tensorrt is installed but does not load: .*libnvinfer"
    ) as caught:
        find_library()
    assert caught.value.hint is not None


def test_a_folder_that_was_left_of_one_is_told_and_does_not_end_who_looks(
    install: Install, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Python imports a folder without a file as a package that has nothing."""
    install(None)
    (tmp_path / "tensorrt").mkdir()
    monkeypatch.delitem(sys.modules, "tensorrt")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BackendUnavailableError, match="tensorrt is installed but not whole") as caught:
        find_library()
    assert caught.value.hint is not None


def test_a_broken_tensorrt_is_told_once_where_tensorrt_rtx_takes_its_place(
    install: Install, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    install("rtx")
    missing = tmp_path / "libnvinfer.so.10"
    (tmp_path / "tensorrt.py").write_text(f"raise ImportError({str(missing)!r})")
    monkeypatch.delitem(sys.modules, "tensorrt")
    monkeypatch.syspath_prepend(tmp_path)
    for _ in range(2):
        assert find_library().product == TENSORRT_RTX
    assert caplog.text.count(f"tensorrt is installed but does not load: {missing}") == 1


def test_one_without_named_tensors_is_too_old(
    install: Install, gpu: FakeGpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(None)
    trt = fake_tensorrt("8.6", gpu)
    trt.__version__ = "8.4.1"
    trt.IExecutionContext = type("IExecutionContext", (), {"execute_async_v2": None})
    monkeypatch.setitem(sys.modules, "tensorrt", trt)
    with pytest.raises(BackendError, match=r"TensorRT 8\.4\.1 is too old.*set_tensor_address") as caught:
        find_library()
    assert "JetPack 6" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("release", "flag", "wants_flags"),
    [("8.6", "EXPLICIT_BATCH", True), ("10.3", "STRONGLY_TYPED", False), ("11.4", "STRONGLY_TYPED", False)],
)
def test_a_network_has_the_types_of_the_onnx_where_that_can_be_had(
    install: Install, release: str, flag: str, *, wants_flags: bool
) -> None:
    install(release)
    library = find_library()
    assert library.network_flags == 1 << library.trt.NetworkDefinitionCreationFlag[flag]
    assert library.wants_precision_flags == wants_flags


def test_a_release_without_any_flag_is_given_none(install: Install) -> None:
    install("11.4")
    library = find_library()
    library.trt.NetworkDefinitionCreationFlag = enum("NetworkDefinitionCreationFlag", "OTHER")
    assert library.network_flags == 0
    assert not library.wants_precision_flags


def test_a_version_without_its_last_number_is_completed(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JetPack's module tells 10.3.0, and an update may change what comes after that alone."""
    install("10.3")
    monkeypatch.setattr(library_module, "loaded_build_number", {"libnvinfer.so": 30}.get)
    assert find_library().version == "10.3.0.30"
    install("rtx")
    assert find_library().version == RELEASES["rtx"]


def test_the_last_number_of_a_version_is_asked_of_the_library_itself(rtx: object) -> None:
    """TensorRT-RTX's module tells it as well, so that the two can be compared."""
    version = find_library(TENSORRT_RTX).version
    assert loaded_build_number("libtensorrt_rtx.so") == int(version.rpartition(".")[2])
    assert loaded_build_number("libnothing.so") is None

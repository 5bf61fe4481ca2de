"""One OpenCV, found and named; two of them are told, and none of them names its extra."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_sdk.errors import MissingExtraError, UsageError
from edge_sdk.image.opencv import installed_opencvs, load_opencv

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """As in a process that has not loaded OpenCV."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "cv2"]:
        monkeypatch.delitem(sys.modules, name)
    load_opencv.cache_clear()
    yield monkeypatch
    load_opencv.cache_clear()


def distribution(folder: Path, name: str, version: str = "4.9.0.80") -> None:
    """What pip leaves behind."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def module(
    folder: Path, content: str = "def setNumThreads(count): threads.append(count)\nthreads = []\n"
) -> None:
    (folder / "cv2").mkdir(parents=True, exist_ok=True)
    (folder / "cv2" / "__init__.py").write_text(content)


def test_one_opencv_is_loaded_without_a_word_and_held_to_one_thread(
    fresh: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    distribution(tmp_path, "opencv-python-headless")
    module(tmp_path)
    fresh.setattr(sys, "path", [str(tmp_path)])
    fresh.delenv("OPENCV_FOR_THREADS_NUM", raising=False)
    assert load_opencv().threads == [1]  # a warning would be an error here


def test_the_environment_may_give_it_more_threads(fresh: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module(tmp_path)
    fresh.setattr(sys, "path", [str(tmp_path)])
    fresh.setenv("OPENCV_FOR_THREADS_NUM", "4")
    assert load_opencv().threads == []


def test_two_distributions_are_named_with_the_commands_that_leave_one(
    fresh: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    distribution(tmp_path, "opencv-python", "4.11.0.86")
    distribution(tmp_path, "opencv-contrib-python-headless")
    module(tmp_path)
    fresh.setattr(sys, "path", [str(tmp_path)])
    with pytest.warns(UserWarning, match="more than one OpenCV") as told:
        load_opencv()
    message = str(told[0].message)
    assert "opencv-python 4.11.0.86" in message
    assert "opencv-contrib-python-headless 4.9.0.80" in message
    assert "pip uninstall -y opencv-contrib-python-headless opencv-python && pip install" in message
    load_opencv()  # once in a process


def test_a_distribution_that_hides_the_systems_opencv_is_told(
    fresh: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ours, systems = tmp_path / "venv", tmp_path / "dist-packages"
    distribution(ours, "opencv-contrib-python-headless")
    module(ours)
    module(systems)
    fresh.setattr(sys, "path", [str(ours), str(systems)])
    with pytest.warns(UserWarning, match="keep the system's: pip uninstall -y opencv-contrib") as told:
        load_opencv()
    assert str(systems) in str(told[0].message)


def test_a_mix_that_does_not_load_is_an_error_that_names_both(
    fresh: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    distribution(tmp_path, "opencv-python")
    distribution(tmp_path, "opencv-python-headless")
    module(tmp_path, "raise AttributeError('partially initialized module cv2')")
    fresh.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(UsageError, match=r"opencv-python-headless .* and opencv-python "):
        load_opencv()


def test_one_that_does_not_load_says_why(fresh: pytest.MonkeyPatch, tmp_path: Path) -> None:
    distribution(tmp_path, "opencv-python")
    module(tmp_path, "raise ImportError('libGL.so.1: cannot open shared object file')")
    fresh.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(UsageError, match=r"libGL\.so\.1") as failed:
        load_opencv()
    assert "pip install opencv-contrib-python-headless" in str(failed.value.hint)


def test_none_names_the_extra(fresh: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fresh.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(MissingExtraError) as missing:
        load_opencv()
    assert missing.value.extra == "camera-opencv"


def test_all_are_listed_in_the_order_of_the_path(tmp_path: Path) -> None:
    distribution(tmp_path / "b", "opencv-python", "4.8.1")
    module(tmp_path / "b")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "cv2.cpython-310-aarch64-linux-gnu.so").touch()
    path = [str(tmp_path / name) for name in ("a", "b", "absent", "a")]
    assert [str(opencv) for opencv in installed_opencvs(path)] == [
        f"the OpenCV in {tmp_path / 'a'}",
        "opencv-python 4.8.1",
    ]


def test_no_other_extra_brings_an_opencv(project: Path) -> None:
    content = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]
    bringing = {
        extra
        for extra, requirements in content["optional-dependencies"].items()
        if any(re.search(r"opencv", requirement) for requirement in requirements)
    }
    assert bringing == {"camera-opencv"}
    assert not any("opencv" in requirement for requirement in content["dependencies"])


def test_who_only_listens_loads_neither_opencv_nor_pillow() -> None:
    program = """
import sys
import device.listener, device.runtime, edge_sdk.signal.sliding
import edge_sdk.image.prepare, edge_sdk.image.picture_file, edge_sdk.image.video_file, edge_sdk.image.draw
print({"cv2", "PIL"} & {name.partition(".")[0] for name in sys.modules})
"""
    run = subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.PIPE, text=True)
    assert run.stdout.strip() == "set()"

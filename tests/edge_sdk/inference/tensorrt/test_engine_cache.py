"""The cache gives back what was put into it, to the bit, or says why it does not."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
from gpu_onnx import scaled_onnx
from hypothesis import given
from hypothesis import strategies as st
from small_rights import WITHOUT_BYTECODE, without_root_rights

from edge_sdk.errors import BackendError
from edge_sdk.inference.tensorrt import open as opening
from edge_sdk.inference.tensorrt.build import build_engine
from edge_sdk.inference.tensorrt.cuda import open_cuda
from edge_sdk.inference.tensorrt.engine_cache import EngineCache, EngineRecord
from edge_sdk.inference.tensorrt.fingerprint import Fingerprint, fingerprint
from edge_sdk.inference.tensorrt.library import find_library
from edge_sdk.inference.tensorrt.sealed_file import DamagedFileError, read_seal, read_sealed, write_sealed

Install = Callable[..., None]
WANTED = Fingerprint(
    onnx_sha256="a" * 64,
    product="TensorRT",
    version="10.3.0",
    compute_capability="8.7",
    board="Orin",
    cuda="12.6",
)
PLAN = bytes(range(256)) * 4


def record(wanted: Fingerprint = WANTED, name: str = "onnx-int8") -> EngineRecord:
    return EngineRecord(name=name, fingerprint=wanted, workspace_mb=512)


def filled(cache: Path, wanted: Fingerprint = WANTED, name: str = "onnx-int8") -> EngineCache:
    cache.mkdir(exist_ok=True)
    engines = EngineCache(cache)
    engines.write(record(wanted, name), PLAN)
    return engines


def absence(engines: EngineCache, wanted: Fingerprint = WANTED, name: str = "onnx-int8") -> str:
    with pytest.raises(BackendError) as caught:
        engines.read(wanted, name)
    assert "edge-sdk build BUNDLE" in str(caught.value.hint)
    return caught.value.message


def test_an_engine_comes_back_as_it_was(cache: Path) -> None:
    engines = filled(cache)
    assert bytes(engines.read(WANTED, "onnx-int8")) == PLAN
    assert [path.suffix for path in cache.iterdir()] == [".engine"]


def test_an_older_one_is_replaced(cache: Path) -> None:
    engines = filled(cache)
    engines.write(record(), b"newer")
    assert bytes(engines.read(WANTED, "onnx-int8")) == b"newer"


# --- why there is none ---


def test_an_empty_cache_names_the_folder(cache: Path) -> None:
    assert absence(EngineCache(cache)) == f"no engine of onnx-int8 is in {cache}"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"version": "8.6.2"}, r"version 8.6.2 (here: 10.3.0)"),
        (
            {"board": "Xavier", "compute_capability": "7.2"},
            "compute capability 7.2 (here: 8.7), the board Xavier",
        ),
        ({"cuda": "12.2"}, "CUDA 12.2 (here: 12.6)"),
        ({"product": "TensorRT-RTX", "board": "", "cuda": ""}, "the product TensorRT-RTX (here: TensorRT)"),
        ({"profile": "batch of 8"}, "the profile batch of 8 (here: batch of 1)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_engine_that_is_stale_is_told_by_what_differs(
    cache: Path, change: dict[str, str], told: str
) -> None:
    engines = filled(cache, msgspec.structs.replace(WANTED, **change))
    assert told in absence(engines)


def test_an_engine_of_another_onnx_file_is_told(cache: Path) -> None:
    engines = filled(cache, msgspec.structs.replace(WANTED, onnx_sha256="b" * 64))
    assert "an ONNX file of SHA-256 bbbbbbbbbbbb... (here: aaaaaaaaaaaa...)" in absence(engines)


def test_an_engine_of_another_model_is_none(cache: Path) -> None:
    other = msgspec.structs.replace(WANTED, onnx_sha256="b" * 64)
    assert "no engine of onnx-int8" in absence(filled(cache, other, name="onnx-float16"))


def test_an_engine_under_a_name_that_is_not_its_own_is_refused(cache: Path) -> None:
    other = msgspec.structs.replace(WANTED, version="8.6.2")
    engines = filled(cache, other)
    engines.path(other).rename(engines.path(WANTED))
    assert "is of version 8.6.2 (here: 10.3.0)" in absence(engines)


# --- damaged ---


@pytest.mark.parametrize("kept", [0, 1, 20, 0.5, 0.999])
def test_a_truncated_engine_is_refused(cache: Path, kept: float) -> None:
    engines = filled(cache)
    path = engines.path(WANTED)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole)) if kept < 1 else int(kept)])
    assert f"the engine {path} is damaged" in absence(engines)


@pytest.mark.parametrize(
    "content", [b"ptrt" * 500, b"edge-sdk engine\n\xff\xff\xff\xff{", b"edge-sdk engine\n"]
)
def test_a_foreign_file_is_refused(cache: Path, content: bytes) -> None:
    engines = filled(cache)
    engines.path(WANTED).write_bytes(content)
    assert "is damaged" in absence(engines)


@given(place=st.integers(0, 10_000), change=st.integers(1, 255))
def test_no_changed_byte_goes_unnoticed(
    tmp_path_factory: pytest.TempPathFactory, place: int, change: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "changed.engine"
    write_sealed(path, record(), PLAN, partial=path.with_suffix(".partial"))
    whole = bytearray(path.read_bytes())
    whole[place % len(whole)] ^= change
    path.write_bytes(whole)
    with pytest.raises(DamagedFileError):
        read_sealed(path, EngineRecord)


def test_an_engine_that_cannot_be_read_is_told(cache: Path) -> None:
    engines = filled(cache)
    engines.path(WANTED).unlink()
    engines.path(WANTED).mkdir()
    assert "cannot read the engine" in absence(engines)


# --- a folder that takes nothing ---


def test_a_folder_below_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BackendError, match=r"cannot write the engine to .*Not a directory") as caught:
        EngineCache(tmp_path / "file" / "engines").write(record(), PLAN)
    assert "--cache" in str(caught.value.hint)


WRITE = """
import sys
from pathlib import Path
import msgspec
from edge_sdk.errors import BackendError
from edge_sdk.inference.tensorrt.engine_cache import EngineCache, EngineRecord
record = msgspec.json.decode(sys.argv[2], type=EngineRecord)
try:
    EngineCache(Path(sys.argv[1])).write(record, b"x" * 1_000_000)
except BackendError as error:
    print(error)
    sys.exit(1)
"""


def write_elsewhere(cache: Path, prepare: Callable[[], object]) -> str:
    """Try to write an engine of 1 MB in a process of its own; gives what it says."""
    done = subprocess.run(
        [sys.executable, "-c", WRITE, str(cache), msgspec.json.encode(record()).decode()],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=prepare,
        env=os.environ | WITHOUT_BYTECODE | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert done.returncode == 1, done.stderr
    return done.stdout


def test_a_disk_that_is_full_leaves_the_older_engine_whole(cache: Path) -> None:
    """Full by the system's limit for a file: the write fails half-way, as on a full disk."""
    engines = filled(cache)
    told = write_elsewhere(cache, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)))
    assert "cannot write the engine" in told
    assert "make room for 1 MB" in told
    assert bytes(engines.read(WANTED, "onnx-int8")) == PLAN
    assert list(cache.glob("*.partial")) == []


def test_a_folder_that_is_read_only_is_told(cache: Path) -> None:
    engines = filled(cache)
    engines.path(WANTED).unlink()
    cache.chmod(0o500)
    try:
        told = write_elsewhere(cache, without_root_rights)
    except subprocess.SubprocessError:
        pytest.skip("the rights of root cannot be given up here")
    assert "cannot write the engine" in told
    assert "Permission denied" in told
    assert "--cache" in told


# --- what becomes of the rest ---


def test_what_a_killed_builder_left_is_removed_and_never_read(cache: Path) -> None:
    engines = filled(cache)
    partial = engines.path(WANTED).with_suffix(".partial")
    partial.write_bytes(engines.path(WANTED).read_bytes()[:500])
    assert bytes(engines.read(WANTED, "onnx-int8")) == PLAN
    engines.remove_partial()
    assert not partial.exists()


def test_engines_that_nothing_here_runs_any_more_give_way(cache: Path) -> None:
    kept = [
        WANTED,
        msgspec.structs.replace(WANTED, product="TensorRT-RTX", board="", cuda=""),
        msgspec.structs.replace(WANTED, board="another"),
    ]
    gone = [
        msgspec.structs.replace(WANTED, version="8.6.2"),
        msgspec.structs.replace(WANTED, cuda="12.2"),
        msgspec.structs.replace(WANTED, onnx_sha256="b" * 64),  # an older model of the same name
    ]
    for one in (*kept, *gone):
        engines = filled(cache, one)
    other_model = msgspec.structs.replace(WANTED, onnx_sha256="c" * 64, version="8.6.2")
    filled(cache, other_model, name="onnx-float16")
    kept.append(other_model)
    assert sorted(engines.remove_superseded(WANTED, "onnx-int8")) == sorted(map(engines.path, gone))
    assert sorted(cache.glob("*.engine")) == sorted(map(engines.path, kept))


def test_timings_hold_for_one_builder_and_damage_costs_only_time(cache: Path) -> None:
    engines = filled(cache)
    builder, other = WANTED.builder, msgspec.structs.replace(WANTED, version="8.6.2").builder
    engines.write_timings(builder, b"0.5 ms")
    assert engines.read_timings(builder) == b"0.5 ms"
    assert engines.read_timings(other) == b""
    (path,) = cache.glob("*.timings")
    path.write_bytes(path.read_bytes()[:-1])
    assert engines.read_timings(builder) == b""


# --- from the cache to an engine that runs ---


def test_a_model_whose_engine_was_built_runs(install: Install, cache: Path) -> None:
    install("10.3")
    model, library = scaled_onnx(), find_library()
    wanted = fingerprint(model, library, open_cuda().gpu)
    cache.mkdir()
    plan = build_engine(library, model).plan
    assert plan is not None
    path = EngineCache(cache).write(record(wanted), plan)
    EngineCache(cache).mark_tried(wanted, open_cuda().gpu, seal=read_seal(path))
    engine = opening.open_engine(model, name="onnx-int8", cache=cache)
    x = np.ones((1, 4), np.float32)
    assert (engine.run({"x": x})["y"] == 2).all()


def test_a_model_whose_engine_was_not_built_is_not_built_now(install: Install, cache: Path) -> None:
    install("10.3")
    with pytest.raises(BackendError, match="no engine of onnx-int8 is in") as caught:
        opening.open_engine(scaled_onnx(), name="onnx-int8", cache=cache)
    assert "edge-sdk build BUNDLE" in str(caught.value.hint)
    assert not cache.exists()

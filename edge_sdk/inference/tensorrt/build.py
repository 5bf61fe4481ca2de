"""From ONNX to an engine, by TensorRT's own parser and builder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...errors import UsageError
from .library import Library
from .message_log import message_log
from .parse import ParsedModel, parse_onnx
from .progress_monitor import progress_monitor
from .refusal import Refusal, builder_refusal
from .weak_typing import set_precision

__all__ = ["BuiltEngine", "build_engine", "check_target", "known_families"]

_CURRENT = "CURRENT"


@dataclass(frozen=True)
class BuiltEngine:
    """What became of a model.

    Attributes:
        plan: The engine's content; None where the model is refused.
        refusals: Why it is.
        timings: What was measured of kernels, for the next build; empty where nothing is.
    """

    plan: bytes | None
    refusals: tuple[Refusal, ...] = ()
    timings: bytes = b""


def build_engine(
    library: Library,
    model: bytes,
    *,
    compute_capability: str | None = None,
    workspace_bytes: int | None = None,
    timings: bytes = b"",
    on_progress: Callable[[str, float], None] | None = None,
) -> BuiltEngine:
    """Build an engine. The precision is the one in the ONNX; float32 is not rounded to TF32.

    Args:
        library: Whose builder. TensorRT's needs a GPU, and builds for that one; TensorRT-RTX's needs none.
        model: Content of the ``.onnx`` file.
        compute_capability: For TensorRT-RTX: of the GPUs to build for; None for all that it supports.
        workspace_bytes: Memory that kernels may use beside weights and tensors; None: what they like.
        timings: Of earlier builds by the same builder.
        on_progress: Is told what is being done, and the share of the whole that is, 0 to 1; from any thread.

    Raises:
        BackendError: The library does not start.
    """
    parsed = parse_onnx(library, model)
    if parsed.refusals:
        return BuiltEngine(None, parsed.refusals)
    if refusals := _open_axes(parsed):
        return BuiltEngine(None, refusals)
    config = parsed.builder.create_builder_config()
    _fix_open_batches(parsed, config)
    _set_precision(library, parsed, config)
    if workspace_bytes is not None:
        config.set_memory_pool_limit(library.trt.MemoryPoolType.WORKSPACE, workspace_bytes)
    if compute_capability is not None and library.is_rtx:
        _set_target(library, config, compute_capability)
    known = _start_timings(library, config, timings)
    monitor = None if on_progress is None else progress_monitor(library.trt, on_progress)
    if monitor is not None:
        config.progress_monitor = monitor
    log = message_log(library.trt)
    count = log.count
    plan = parsed.builder.build_serialized_network(parsed.network, config)
    if plan is None:
        return BuiltEngine(None, (builder_refusal(parsed.network, log.since(count)),))
    return BuiltEngine(bytes(plan), timings=b"" if known is None else bytes(known.serialize()))


def known_families(library: Library) -> dict[str, Any]:
    """What this library can build for on a computer without the GPU: capability, and its own name for it."""
    kinds = getattr(library.trt, "ComputeCapability", None)
    if kinds is None or not library.is_rtx:
        return {}
    names = [name for name in kinds.__members__ if name.startswith("SM")]
    return {f"{name[2:-1]}.{name[-1]}": getattr(kinds, name) for name in names}


def check_target(library: Library, compute_capability: str, *, here: bool) -> None:
    """Hold the GPU to build for against what TensorRT-RTX supports.

    Args:
        library: TensorRT-RTX.
        compute_capability: Of the GPU.
        here: Whether it is that of this computer: then it may be newer than all that are known.

    Raises:
        UsageError: It is none of them.
    """
    known = known_families(library)
    newest = max(map(_ordered, known), default=(0,))
    if compute_capability not in known and not (here and _ordered(compute_capability) > newest):
        raise UsageError(
            f"{library} does not build for compute capability {compute_capability}",
            hint=f"it does for {', '.join(sorted(known, key=_ordered))}; on a Jetson, TensorRT builds",
        )


def _ordered(compute_capability: str) -> tuple[int, ...]:
    return tuple(int(part) for part in compute_capability.split("."))


def _inputs(parsed: ParsedModel) -> list[tuple[str, tuple[int, ...]]]:
    tensors = (parsed.network.get_input(index) for index in range(parsed.network.num_inputs))
    return [(tensor.name, tuple(tensor.shape)) for tensor in tensors]


def _open_axes(parsed: ParsedModel) -> tuple[Refusal, ...]:
    """Inputs that are open in more than their batch: no profile of ours would be right for all uses."""
    found = []
    for name, shape in _inputs(parsed):
        if -1 in shape[1:]:
            extents = ", ".join("any" if extent == -1 else str(extent) for extent in shape)
            reason = f"its shape [{extents}] is open beyond the batch: convert the model with fixed shapes"
            found.append(Refusal("input", name, reason))
    return tuple(found)


def _fix_open_batches(parsed: ParsedModel, config: Any) -> None:
    """An open batch is 1: one window or picture at a time."""
    open_inputs = [(name, (1, *shape[1:])) for name, shape in _inputs(parsed) if -1 in shape]
    if open_inputs:
        profile = parsed.builder.create_optimization_profile()
        for name, shape in open_inputs:
            profile.set_shape(name, shape, shape, shape)
        config.add_optimization_profile(profile)


def _set_precision(library: Library, parsed: ParsedModel, config: Any) -> None:
    flags = library.trt.BuilderFlag
    if hasattr(flags, "TF32"):
        config.clear_flag(flags.TF32)
    if library.wants_precision_flags:
        set_precision(library, parsed.network, config)


def _set_target(library: Library, config: Any, compute_capability: str) -> None:
    current = getattr(library.trt.ComputeCapability, _CURRENT)
    config.num_compute_capabilities = 1
    config.set_compute_capability(known_families(library).get(compute_capability, current), 0)


def _start_timings(library: Library, config: Any, timings: bytes) -> Any:
    """Have kernels that were measured before not be measured again; TensorRT-RTX measures none."""
    if library.is_rtx or not hasattr(config, "create_timing_cache"):
        return None
    for content in dict.fromkeys((timings, b"")):
        known = config.create_timing_cache(content)
        if known is not None and config.set_timing_cache(known, False):
            return known
    return None

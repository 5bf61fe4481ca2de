"""What TensorRT and CUDA hold for one loaded engine."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ...contract.values import Array, TensorSpec
from ...errors import BackendError
from .cuda import Cuda, Graph
from .foreign_errors import MEMORY_HINT, NOT_MADE, NOT_STARTED_HINT, as_backend_error, hint_for
from .library import Library
from .message_log import message_log
from .output_size import MAX_OUTPUT_BYTES, output_room
from .tensor_buffers import TensorBuffers

__all__ = ["Session"]

_RUN_HINT = "where memory is short, end what else uses it; else restart this process"

# TensorRT's own map to NumPy's types fails over NumPy's releases.
_DTYPES = {
    "FLOAT": "float32",
    "HALF": "float16",
    "INT8": "int8",
    "UINT8": "uint8",
    "INT32": "int32",
    "INT64": "int64",
    "BOOL": "bool",
}


class Session:
    """One engine on one stream. Nothing in it refers to who uses it, and ``close`` gives all of it back.

    Args:
        plan: Content of the engine.
        library: What it was built by.
        cuda: Where to run it. Whoever has this has asked for the number of GPUs: without one, some of
            TensorRT's runtimes end the process.
        name: What to call the model in messages.
        mapped: Let the GPU work in the computer's memory.
        hint: What to do about an engine that is refused.

    Attributes:
        buffers: Where inputs are put.
        inputs: What the engine takes.
        outputs: What it gives.
        stream: In which it works.

    Raises:
        BackendError: The engine cannot be loaded.
    """

    def __init__(
        self, plan: bytes | memoryview, library: Library, cuda: Cuda, name: str, *, mapped: bool, hint: str
    ) -> None:
        self._library = library
        self._name = name
        self._cuda = cuda
        self._log = message_log(library.trt)
        self._graph: Graph | None = None
        self._rooms: dict[str, Any] = {}
        self._engine = self._loaded(plan, hint)
        self._context = self._new_context(hint)
        with contextlib.ExitStack() as undo:
            self.stream = cuda.new_stream()
            undo.callback(self._quietly, cuda.destroy_stream, self.stream)
            self.buffers = TensorBuffers(cuda, self.stream, mapped=mapped)
            undo.callback(self.buffers.close)
            self.inputs = tuple(self._bind(tensor) for tensor in self._tensors("INPUT"))
            self.outputs = tuple(self._bind(tensor) for tensor in self._tensors("OUTPUT"))
            undo.callback(self._drop_library)
            self._undo = undo.pop_all()

    def enqueue(self) -> None:
        """Put one inference into the stream, copies included, and do not wait."""
        if self._graph is None:
            self._enqueue()
        else:
            self._graph.launch()

    def run_once(self) -> None:
        """Run on what the inputs hold, and wait."""
        self.enqueue()
        self._cuda.synchronize(self.stream)

    def answers(self) -> Mapping[str, Array]:
        """What the last run gave."""
        outputs = self.buffers.outputs
        if not self._rooms:
            return outputs
        return {
            name: self._rooms[name].fit(array) if name in self._rooms else array
            for name, array in outputs.items()
        }

    def capture(self) -> str | None:
        """Make one call of an inference from now on; it must have run before.

        Returns:
            Why that cannot be done; then all is as before.

        Raises:
            BackendError: Not even what was possible before is now.
        """
        if self._rooms:
            return f"no CUDA graph: the size of '{next(iter(self._rooms))}' depends on what is in the input"
        capturable = getattr(self._context, "is_stream_capturable", None)
        if capturable is not None and not capturable(self.stream):
            return f"no CUDA graph: {self._library.product} says that it cannot be captured"
        try:
            with as_backend_error("it was not captured", _RUN_HINT):
                self._graph = self._cuda.capture(self.stream, self._enqueue)
        except BackendError as error:
            self.run_once()
            return f"no CUDA graph: {error.message}"
        self._undo.callback(self._quietly, self._graph.close)
        return None

    def close(self) -> None:
        """Give everything back."""
        self._quietly(self._cuda.synchronize, self.stream)
        self._graph = None
        self._undo.close()

    def _enqueue(self) -> None:
        self.buffers.copy_in()
        count = self._log.count
        if not self._context.execute_async_v3(self.stream):
            told = self._log.since(count)
            raise BackendError(
                f"{self._library} failed to run {self._name}: {told}", hint=hint_for(told, _RUN_HINT)
            )
        self.buffers.copy_out()

    def _loaded(self, plan: bytes | memoryview, hint: str) -> Any:
        trt, count = self._library.trt, self._log.count
        if hasattr(trt, "init_libnvinfer_plugins"):
            trt.init_libnvinfer_plugins(self._log, "")
        try:
            runtime = trt.Runtime(self._log)
        except NOT_MADE as error:
            told = self._log.since(count)
            no_memory = isinstance(error, MemoryError)
            raise BackendError(
                f"{self._library} does not start: {told}",
                hint=MEMORY_HINT if no_memory else hint_for(f"{told} {error}", NOT_STARTED_HINT),
            ) from error
        invalidity = self._invalidity(runtime, plan)
        # Where it is known to be refused as well: this tells the reason in words.
        engine = None if invalidity == ["MALFORMED_ENGINE"] else runtime.deserialize_cuda_engine(plan)
        if engine is None or invalidity:
            reasons = ": ".join([*filter(None, [", ".join(invalidity)]), self._log.since(count)])
            raise BackendError(
                f"{self._library} refuses the engine of {self._name}: {reasons}",
                hint=hint_for(reasons, hint),
            )
        self._runtime = runtime
        return engine

    def _invalidity(self, runtime: Any, plan: bytes | memoryview) -> list[str]:
        """What is wrong with an engine, in the library's words, where it can tell before loading it."""
        trt = self._library.trt
        if not hasattr(runtime, "get_engine_validity"):
            return []
        validity, found = runtime.get_engine_validity(plan)
        if validity != trt.EngineValidity.INVALID:
            return []
        known = trt.EngineInvalidityDiagnostics.__members__.items()
        return [name for name, member in known if int(found) & int(member)] or ["INVALID"]

    def _new_context(self, hint: str) -> Any:
        count = self._log.count
        context = self._engine.create_execution_context()
        if context is None:
            told = self._log.since(count)
            raise BackendError(
                f"{self._library} cannot prepare {self._name} to run: {told}", hint=hint_for(told, hint)
            )
        return context

    def _tensors(self, mode: str) -> list[str]:
        engine = self._engine
        wanted = getattr(self._library.trt.TensorIOMode, mode)
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        return [name for name in names if engine.get_tensor_mode(name) == wanted]

    def _bind(self, name: str) -> TensorSpec:
        """Set memory aside for a tensor; inputs first, as the sizes of outputs follow from theirs."""
        trt, engine, context = self._library.trt, self._engine, self._context
        taken = engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT
        dtype = _DTYPES.get(engine.get_tensor_dtype(name).name)
        if dtype is None:
            kind = engine.get_tensor_dtype(name).name
            raise BackendError(f"{self._name}: tensor '{name}' is {kind}, which cannot be used here")
        if taken and -1 in tuple(engine.get_tensor_shape(name)):
            context.set_input_shape(name, engine.get_tensor_profile_shape(name, 0)[1])
        shape = tuple(int(extent) for extent in context.get_tensor_shape(name))
        if -1 in shape:
            return self._bind_open(name, shape, dtype)
        on_host = engine.get_tensor_location(name) == trt.TensorLocation.HOST
        address = self.buffers.add(name, shape, dtype, taken=taken, on_host=on_host)
        self._require(context.set_tensor_address(name, address), name)
        return TensorSpec(name, shape, dtype)

    def _bind_open(self, name: str, shape: tuple[int, ...], dtype: str) -> TensorSpec:
        size = int(self._context.get_max_output_size(name))
        if not 0 < size <= MAX_OUTPUT_BYTES:
            raise BackendError(
                f"{self._name}: output '{name}' may take {size} bytes, which is too much to set aside",
                hint="convert the model with outputs of a fixed size",
            )
        count = size // np.dtype(dtype).itemsize
        address = self.buffers.add(name, (count,), dtype, taken=False)
        room = output_room(self._library.trt, address, size)
        self._require(self._context.set_output_allocator(name, room), name)
        self._rooms[name] = room
        return TensorSpec(name, tuple(None if extent == -1 else extent for extent in shape), dtype)

    def _require(self, done: object, name: str) -> None:
        if done is False:
            raise BackendError(f"{self._library} takes no memory for '{name}' of {self._name}")

    def _drop_library(self) -> None:
        """In this order: each of them refers to the next."""
        self._context = None
        self._engine = None
        self._runtime = None
        self._rooms = {}

    @staticmethod
    def _quietly(release: Callable[..., None], *arguments: Any) -> None:
        with contextlib.suppress(BackendError):  # a GPU that was lost takes nothing back
            release(*arguments)

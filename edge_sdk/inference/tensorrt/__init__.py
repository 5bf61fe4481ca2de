"""ONNX models on NVIDIA GPUs, by TensorRT (on a Jetson) or TensorRT-RTX (on RTX cards).

Two halves that share the cache of engines. ``edge-sdk build`` makes an engine of an ONNX file, which
takes minutes and much memory, in a process of its own: :mod:`.build_child` starts it, and it is
:mod:`.build_process`. :func:`.open.open_engine` runs what was built, and never builds. Neither NVIDIA's
libraries nor a GPU are asked for by an import.
"""

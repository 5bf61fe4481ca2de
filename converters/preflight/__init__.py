"""Whether an engine can be built of an ONNX model, asked of the real builder before a device has to.

TensorRT-RTX shares its parser with TensorRT and needs no GPU to build. It is another product all the same:
what it says is evidence for a Jetson, not proof.
"""

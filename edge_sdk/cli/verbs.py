"""The verb table: the only place that names ``converters`` and ``device``, and only as strings.

Each module named here has ``add_arguments(parser)`` and ``run(arguments) -> int``.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["VERBS", "Verb"]


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb.

    Attributes:
        module: Where it is implemented.
        summary: One line for ``edge-sdk --help``.
        extra: The extra of the distribution that brings what it needs.
    """

    module: str
    summary: str
    extra: str


VERBS: dict[str, Verb] = {
    "spec": Verb("converters.spec_command", "begin a spec with what a model's file tells", "convert"),
    "convert": Verb("converters.convert_command", "turn a trained model into a proved bundle", "convert"),
    "inspect": Verb("edge_sdk.cli.inspect_command", "show what is in a bundle", "device"),
    "verify": Verb("device.verify_command", "check digests and golden samples on this machine", "device"),
    "bench": Verb("device.bench_command", "measure each variant on this device, and pick one", "device"),
    "build": Verb(
        "device.build_command", "build TensorRT engines of a bundle for this device's GPU", "tensorrt-rtx"
    ),
    "predict": Verb("device.predict_command", "run a bundle on recordings, pictures or videos", "device"),
    "evaluate": Verb(
        "converters.evaluate_command", "score a bundle on labelled recordings or pictures", "convert"
    ),
    "run": Verb("device.run_command", "listen, decide, and publish alerts", "device"),
    "watch": Verb("edge_sdk.monitor.watch_command", "show the alerts of a broker live", "monitor"),
    "monitor": Verb(
        "edge_sdk.monitor.monitor_command", "store alerts and confirm them to devices", "monitor"
    ),
    "demo": Verb("edge_sdk.demo.demo_command", "from a trained model to an alert, on this machine", "demo"),
}

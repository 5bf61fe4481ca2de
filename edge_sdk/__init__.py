"""What workstation, device and server share: the contract, and the maths both sides run identically.

Importing this loads neither NumPy nor anything else until a name is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .contract.bundle import Bundle
    from .contract.manifest import Manifest
    from .contract.messages import Alert, Coverage, Status
    from .contract.values import AudioBlock, End, Event, Gap, WindowScores
    from .errors import EdgeSdkError
    from .monitor.store import Store
    from .monitor.subscriber import Subscriber

__version__ = "0.1.0"

_HOMES = {
    "Alert": "edge_sdk.contract.messages",
    "AudioBlock": "edge_sdk.contract.values",
    "Bundle": "edge_sdk.contract.bundle",
    "Coverage": "edge_sdk.contract.messages",
    "EdgeSdkError": "edge_sdk.errors",
    "End": "edge_sdk.contract.values",
    "Event": "edge_sdk.contract.values",
    "Gap": "edge_sdk.contract.values",
    "Manifest": "edge_sdk.contract.manifest",
    "Status": "edge_sdk.contract.messages",
    "Store": "edge_sdk.monitor.store",
    "Subscriber": "edge_sdk.monitor.subscriber",
    "WindowScores": "edge_sdk.contract.values",
}

__all__ = [
    "Alert",
    "AudioBlock",
    "Bundle",
    "Coverage",
    "EdgeSdkError",
    "End",
    "Event",
    "Gap",
    "Manifest",
    "Status",
    "Store",
    "Subscriber",
    "WindowScores",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'edge_sdk' has no attribute {name!r}")

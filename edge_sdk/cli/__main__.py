"""``python -m edge_sdk.cli`` does what ``edge-sdk`` does."""

from __future__ import annotations

import sys

from .main import main

if __name__ == "__main__":
    sys.exit(main())

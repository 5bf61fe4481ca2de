"""How many threads one inference may use, on a command line and anywhere else."""

from __future__ import annotations

import argparse

from ..console.arguments import whole_number
from .backend import MAX_THREADS

__all__ = ["MAX_THREADS", "add_threads_argument", "thread_count"]


def add_threads_argument(parser: argparse.ArgumentParser, *, default: int | None = 1) -> None:
    """Add ``--threads``.

    Args:
        parser: Of a verb that runs a model.
        default: ``None`` where a configuration may say it.
    """
    parser.add_argument(
        "--threads",
        type=thread_count,
        default=default,
        metavar="N",
        help=f"threads of one inference, 1 to {MAX_THREADS} (default: 1)",
    )


def thread_count(text: str) -> int:
    """A number of threads.

    Raises:
        ArgumentTypeError: It is none, or more than an engine can take.
    """
    return whole_number(text, 1, MAX_THREADS)

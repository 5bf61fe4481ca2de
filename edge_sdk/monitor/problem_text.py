"""What is wrong with what was received, in one line each."""

from __future__ import annotations

from ..console.foreign_text import printable
from .incoming import BadPayload
from .intake import Conflict, Overflow, Problem
from .seq_ledger import SeqGap

__all__ = ["describe_problem"]


def describe_problem(problem: Problem) -> str:
    """One line for a person, without what a sender could command a terminal with."""
    return printable(_describe(problem))


def _describe(problem: Problem) -> str:
    if isinstance(problem, SeqGap):
        numbers = f"{problem.first}" if problem.count == 1 else f"{problem.first} to {problem.last}"
        what = "message" if problem.count == 1 else "messages"
        return (
            f"{problem.count} {what} of {problem.site}/{problem.device} did not come: "
            f"seq {numbers} of epoch {problem.epoch}"
        )
    if isinstance(problem, BadPayload):
        return f"bad payload of {len(problem.payload)} bytes on {problem.topic}: {problem.reason}"
    if isinstance(problem, Overflow):
        return f"{problem.count} messages were given up, because nobody took them in time"
    return _describe_conflict(problem)


def _describe_conflict(conflict: Conflict) -> str:
    stream, seq = conflict.received.stream, conflict.received.message.seq
    return (
        f"{stream.site}/{stream.device} used seq {seq} of epoch {stream.epoch} "
        "for two different messages; the first was kept"
    )

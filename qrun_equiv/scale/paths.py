"""Which way layers with a choice compute: their quick path, or the exact one inside a block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Choices:
    """What happened in a block of :func:`exact_paths`.

    Attributes:
        withheld: whether a layer was kept from its quick path (it might have taken it).
    """

    withheld: bool = False


_BLOCK: ContextVar[Choices | None] = ContextVar("exact paths", default=None)


@contextmanager
def exact_paths() -> Iterator[Choices]:
    """Every Q-RUN layer called in the block evaluates its readout at every element.

    Verification does so: verdicts are about the exact path, and say so.
    """
    choices = Choices()
    token = _BLOCK.set(choices)
    try:
        yield choices
    finally:
        _BLOCK.reset(token)


def quick_path_allowed() -> bool:
    """Whether no such block is open; asked by a layer that has the choice."""
    choices = _BLOCK.get()
    if choices is not None:
        choices.withheld = True
    return choices is None

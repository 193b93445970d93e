"""What ends a run: the caller's mistakes, and results that leave their bound."""

from __future__ import annotations

from qrun_equiv.errors import QrunEquivError


class RunError(QrunEquivError):
    """A run can't begin or go on: device, memory, disk, the output, another run's journal."""


class BoundError(RunError):
    """The device's results leave the bound that they are held to, or are not finite."""

"""What goes wrong with Coq certificates."""

from __future__ import annotations

from qrun_equiv.errors import QrunEquivError


class CoqError(QrunEquivError):
    """No certificate can be written, Coq is missing, or it refuses one."""

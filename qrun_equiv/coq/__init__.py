"""Certificates that Coq re-checks, independent of this project's Python."""

from __future__ import annotations

from qrun_equiv.coq.check import Checked, check, compile_library
from qrun_equiv.coq.emit import Written, certificate, of_pair, write
from qrun_equiv.coq.errors import CoqError

__all__ = [
    "Checked",
    "CoqError",
    "Written",
    "certificate",
    "check",
    "compile_library",
    "of_pair",
    "write",
]

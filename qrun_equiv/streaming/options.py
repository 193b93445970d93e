"""How a run is made."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from qrun_equiv.streaming.errors import RunError

#: Numbers of a chunk (16 MiB in float64), and its rows at most and at least.
_NUMBERS, _MOST, _LEAST = 2**21, 2**18, 2**8


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a run is made.

    Attributes:
        parameters: ``theta [n_parameters]`` (radians); the certificate's where left out.
        columns: of the input, in the order of the features; all of them where left out.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ...
        dtype: ``"auto"``, ``"float64"``, ``"float32"`` or ``"bfloat16"``.
        chunk: rows that are read and written at once; from the sizes where left out.
        at_least: strength asked of the certificate.
        unverified: run without a certificate that admits it; the manifest says so.
        allow_outside: run rows outside of what the certificate covers, too; they are counted.
        check_fraction: part of the rows that is checked in float64.
        native_rows: rows of a chunk that the circuit evaluates, in the chunks 1, 2, 4, 8, ...
        tolerance: largest error relative to the outputs' scale; by dtype where left out.
        seed: which rows are checked.
        restart: begin anew where an earlier run's journal stands.
        overwrite: replace an output that exists.
        commit_seconds: time between two commits, which is what a kill can cost.
        command: the command line, for the manifest.
    """

    parameters: Any = None
    columns: Sequence[str] | None = None
    device: str = "auto"
    dtype: str = "auto"
    chunk: int | None = None
    at_least: str = "sampled"
    unverified: bool = False
    allow_outside: bool = False
    check_fraction: float = 1e-3
    native_rows: int = 4
    tolerance: float | None = None
    seed: int = 0
    restart: bool = False
    overwrite: bool = False
    commit_seconds: float = 1.0
    command: str = ""

    def __post_init__(self) -> None:
        """Refuse numbers out of range.

        Raises:
            RunError: the message names the option.
        """
        for name, least in (("chunk", 1), ("native_rows", 0), ("seed", 0)):
            value = getattr(self, name)
            if value is not None and not (_whole(value) and value >= least):
                msg = f"{name} must be a whole number from {least} up, got {value!r}"
                raise RunError(msg)
        if isinstance(self.columns, str):
            msg = f"columns is a list of names, got {self.columns!r}"
            raise RunError(msg)
        if not 0 <= self.check_fraction <= 1:
            msg = f"check_fraction is a part of the rows, from 0 to 1, got {self.check_fraction!r}"
            raise RunError(msg)
        if self.tolerance is not None and not 0 < self.tolerance < math.inf:
            msg = f"tolerance must be a positive number, got {self.tolerance!r}"
            raise RunError(msg)

    def rows_of_chunk(self, width: int) -> int:
        """Rows of a chunk where a row has ``width`` numbers: as asked for, else a power of 2."""
        if self.chunk is not None:
            return int(self.chunk)
        rows = min(_MOST, max(_LEAST, _NUMBERS // max(1, width)))
        return 1 << (rows.bit_length() - 1)


def _whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)

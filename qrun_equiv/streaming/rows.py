"""Rows of features, read chunk by chunk: what every reader has in common.

Whatever a file holds becomes float64, exactly: a type or a number that float64 can't hold is
refused by its column. A reader keeps one chunk in memory, and none of the file mapped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from qrun_equiv.errors import DataError

Array = NDArray[np.float64]

#: Beyond this size some whole numbers are no float64.
_LARGEST_WHOLE = 2**53


class Rows(Protocol):
    """Rows ``[n_rows, n_features]`` that are read in order, from any row on."""

    n_rows: int

    @property
    def identity(self) -> dict[str, Any]:
        """What must be the same where a run is continued, as JSON."""
        ...

    @property
    def described(self) -> str:
        """Where the rows are from, for a person."""
        ...

    def chunks(self, start: int, size: int, digest: str = "") -> Iterator[Array]:
        """Rows from ``start`` on, float64 ``[size, n_features]`` each, the last one shorter.

        ``digest`` is what :meth:`digest` was after the rows before ``start``.
        """
        ...

    def digest(self) -> str:
        """SHA-256 of what a pipe has given so far; empty for a file, whose digest is known."""
        ...

    def check_unchanged(self) -> None:
        """Refuse a file that was written to since it was opened."""
        ...


def open_rows(
    source: Path | BinaryIO, n_features: int, columns: Sequence[str] | None = None
) -> Rows:
    """Rows of a ``.npy`` or ``.parquet`` file, or of an NPY stream.

    Args:
        source: the file, or a binary stream such as ``sys.stdin.buffer``.
        n_features: how many columns are wanted.
        columns: which: names in a Parquet file, numbers from 0 up in NPY, in the features' order.
            All of the file's where left out.

    Raises:
        DataError: missing, truncated, of another kind, or its columns don't fit.
    """
    if n_features < 1:
        msg = "the pair has no features, so there are no rows to run"
        raise DataError(msg)
    from qrun_equiv.streaming.npy import NpyRows, NpyStream

    if not isinstance(source, Path):
        return NpyStream(source, n_features, columns)
    if not source.is_file():
        what = "a folder" if source.is_dir() else "missing"
        msg = f"the input {source} is {what}; name a .npy or .parquet file, or - for a pipe"
        raise DataError(msg)
    if source.suffix.lower() in {".parquet", ".pq"}:
        from qrun_equiv.streaming.parquet import ParquetRows

        return ParquetRows(source, n_features, columns)
    if source.suffix.lower() != ".npy":
        msg = f"the input {source} is neither .npy nor .parquet; convert it (numpy.save)"
        raise DataError(msg)
    return NpyRows(source, n_features, columns)


class FileIdentity:
    """A file's digest, and whether it is still the file that was opened."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._stat = self._now()
            with path.open("rb") as stream:
                self.sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            msg = f"can't read the input {path}: {error.strerror or error}"
            raise DataError(msg) from error

    def _now(self) -> tuple[int, ...]:
        stat = self.path.stat()
        return stat.st_size, stat.st_mtime_ns, stat.st_ino

    @property
    def size(self) -> int:
        """Bytes."""
        return self._stat[0]

    def check(self) -> None:
        """Raise a DataError if the file was written to or replaced."""
        if not self.path.exists() or self._now() != self._stat:
            msg = f"the input {self.path} was changed while it was read; begin anew with --restart"
            raise DataError(msg)


def check_type(dtype: np.dtype[Any], name: str) -> None:
    """Raise a DataError unless float64 can hold numbers of this type."""
    if dtype.kind in "iu" or (dtype.kind == "f" and dtype.itemsize <= 8):
        return
    msg = f"{name} holds {dtype}, no numbers that float64 can hold; convert it first"
    raise DataError(msg)


def exact(block: NDArray[Any], names: Sequence[str], first: int) -> Array:
    """A block ``[rows, columns]`` as float64, whose row 0 is row ``first`` of the whole.

    Raises:
        DataError: a whole number beyond ``2**53``; the message names row and column.
    """
    if block.dtype.kind in "iu" and block.dtype.itemsize == 8:
        wrong = block > _LARGEST_WHOLE
        if block.dtype.kind == "i":
            wrong |= block < -_LARGEST_WHOLE
        if wrong.any():
            row, column = (int(k) for k in np.argwhere(wrong)[0])
            msg = (
                f"{names[column]}, row {first + row}: {block[row, column]} is beyond 2^53 and "
                "not sure to be a float64; scale the column"
            )
            raise DataError(msg)
    return np.ascontiguousarray(block, dtype=np.float64)

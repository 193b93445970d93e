"""Rows of an NPY file, or of NPY on a pipe."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from qrun_equiv.errors import DataError
from qrun_equiv.streaming.rows import Array, FileIdentity, check_type, exact

_SKIP = 1 << 22  # bytes of a pipe that are read at a time to get past rows that are done


class _Header:
    """The head of an NPY file: shape, order, type; and the wanted columns."""

    def __init__(
        self, stream: BinaryIO, name: str, n_features: int, columns: Sequence[str] | None
    ) -> None:
        self.name = name
        shape, self.fortran, self.dtype = _read_header(stream, name)
        if len(shape) == 1:
            shape = (*shape, 1)
        if len(shape) != 2 or min(shape) < 0:
            msg = f"{name} has shape {shape}; expected [rows, {n_features}]"
            raise DataError(msg)
        self.n_rows, self.width = shape
        check_type(self.dtype, name)
        self.chosen = _chosen(columns, self.width, n_features, name)
        self.row_bytes = self.width * self.dtype.itemsize
        self.identity = {
            "rows": self.n_rows,
            "type": self.dtype.str,
            "columns": [str(c) for c in self.chosen],
        }

    def convert(self, block: NDArray[Any], first: int) -> Array:
        """Wanted columns in float64."""
        names = [f"column {c} of {self.name}" for c in self.chosen]
        return exact(block[:, self.chosen], names, first)


def _read_header(stream: BinaryIO, name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    try:
        version = np.lib.format.read_magic(stream)
        if version == (1, 0):
            return np.lib.format.read_array_header_1_0(stream)
        if version == (2, 0):
            return np.lib.format.read_array_header_2_0(stream)
    except (ValueError, EOFError, OSError) as error:
        msg = f"{name} is no NPY data, or its head is damaged: {error!s:.200}"
        raise DataError(msg) from error
    msg = f"{name} has NPY version {version}; it holds no plain array of numbers"
    raise DataError(msg)


def _chosen(columns: Sequence[str] | None, width: int, n_features: int, name: str) -> list[int]:
    if columns is None:
        found = list(range(width))
        remedy = f"; choose {n_features} of them with --columns (0 to {width - 1})"
    else:
        if not all(c.strip().isdecimal() and int(c) < width for c in columns):
            msg = f"{name} has the columns 0 to {width - 1}, got --columns {','.join(columns)}"
            raise DataError(msg)
        found, remedy = [int(c) for c in columns], " named with --columns"
    if len(found) != n_features:
        msg = f"{name} has {len(found)} column(s){remedy}; the pair takes {n_features}"
        raise DataError(msg)
    return found


class NpyRows:
    """Rows of an NPY file; see :class:`~qrun_equiv.streaming.rows.Rows`."""

    def __init__(self, path: Path, n_features: int, columns: Sequence[str] | None) -> None:
        with path.open("rb") as stream:
            self._header = _Header(stream, str(path), n_features, columns)
            self._begin = stream.tell()
        self._file = FileIdentity(path)
        expected = self._begin + self._header.n_rows * self._header.row_bytes
        if self._file.size != expected:
            short = self._file.size < expected
            msg = (
                f"{path} is {'truncated' if short else 'followed by other data'}: its head says "
                f"{self._header.n_rows} rows, {expected} bytes; it has {self._file.size}"
            )
            raise DataError(msg)
        self.n_rows = self._header.n_rows

    @property
    def identity(self) -> dict[str, Any]:
        """See :class:`~qrun_equiv.streaming.rows.Rows`."""
        file = {"size": self._file.size, "sha256": self._file.sha256}
        return {"kind": "npy", **file, **self._header.identity}

    @property
    def described(self) -> str:
        """See :class:`~qrun_equiv.streaming.rows.Rows`."""
        return str(self._file.path)

    def chunks(self, start: int, size: int, digest: str = "") -> Iterator[Array]:
        """See :class:`~qrun_equiv.streaming.rows.Rows`."""
        del digest  # the file's own is known
        with self._file.path.open("rb") as stream:
            for first in range(start, self.n_rows, size):
                block = self._block(stream, first, min(size, self.n_rows - first))
                yield self._header.convert(block, first)

    def _block(self, stream: BinaryIO, first: int, rows: int) -> NDArray[Any]:
        head = self._header
        if not head.fortran:
            stream.seek(self._begin + first * head.row_bytes)
            return self._read(stream, rows * head.width).reshape(rows, head.width)
        block = np.empty((rows, head.width), head.dtype)
        for column in head.chosen:  # column after column in the file
            stream.seek(self._begin + (column * head.n_rows + first) * head.dtype.itemsize)
            block[:, column] = self._read(stream, rows)
        return block

    def _read(self, stream: BinaryIO, count: int) -> NDArray[Any]:
        found = np.fromfile(stream, self._header.dtype, count)
        if len(found) != count:
            msg = f"{self._file.path} ended early while it was read; it was changed or is damaged"
            raise DataError(msg)
        return found

    def digest(self) -> str:
        """See :class:`~qrun_equiv.streaming.rows.Rows`."""
        return ""

    def check_unchanged(self) -> None:
        """See :class:`~qrun_equiv.streaming.rows.Rows`."""
        self._file.check()


class NpyStream:
    """Rows of an NPY stream that can't be rewound; see :class:`~qrun_equiv.streaming.rows.Rows`.

    To continue a run the same stream is given again: the rows that are done are read, digested and
    dropped.
    """

    def __init__(self, stream: BinaryIO, n_features: int, columns: Sequence[str] | None) -> None:
        self._stream, self._state = stream, hashlib.sha256()
        self._header = _Header(stream, "the standard input", n_features, columns)
        if self._header.fortran and self._header.width > 1:
            msg = "the standard input is in Fortran order; give a file, or np.ascontiguousarray"
            raise DataError(msg)
        self.n_rows = self._header.n_rows

    @property
    def identity(self) -> dict[str, Any]:
        """See :class:`~qrun_equiv.streaming.rows.Rows`."""
        return {"kind": "npy stream", **self._header.identity}

    @property
    def described(self) -> str:
        """See :class:`~qrun_equiv.streaming.rows.Rows`."""
        return "standard input"

    def chunks(self, start: int, size: int, digest: str = "") -> Iterator[Array]:
        """See :class:`~qrun_equiv.streaming.rows.Rows`.

        Raises:
            DataError: the rows before ``start`` are not those of the first time, or rows are
                missing.
        """
        head, left = self._header, start * self._header.row_bytes
        for at in range(0, left, _SKIP):
            self._read(min(_SKIP, left - at), at)
        if digest and self.digest() != digest:
            msg = f"the standard input's first {start} rows differ from those of the run so far; "
            raise DataError(msg + "give the same stream again, or begin anew with --restart")
        for first in range(start, self.n_rows, size):
            rows = min(size, self.n_rows - first)
            data = self._read(rows * head.row_bytes, first * head.row_bytes)
            block = np.frombuffer(data, head.dtype).reshape(rows, head.width)
            yield head.convert(block, first)

    def _read(self, count: int, at: int) -> bytes:
        parts, missing = [], count
        while missing:  # a pipe gives what it has
            part = self._stream.read(missing)
            if not part:
                done = (at + count - missing) // self._header.row_bytes
                msg = f"the standard input ended after {done} of {self.n_rows} rows"
                raise DataError(msg)
            parts.append(part)
            missing -= len(part)
        data = b"".join(parts)
        self._state.update(data)
        return data

    def digest(self) -> str:
        """See :class:`~qrun_equiv.streaming.rows.Rows`."""
        return self._state.hexdigest()

    def check_unchanged(self) -> None:
        """See :class:`~qrun_equiv.streaming.rows.Rows`."""

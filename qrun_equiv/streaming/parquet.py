"""Parquet in and out, through pyarrow, which is optional."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qrun_equiv.errors import DataError
from qrun_equiv.streaming.errors import RunError
from qrun_equiv.streaming.rows import Array, FileIdentity, exact

_BUFFER = 1 << 20  # bytes of a column that are read at a time, however large its row group


def arrow() -> Any:
    """The module ``pyarrow.parquet``.

    Raises:
        RunError: pyarrow is not installed.
    """
    try:
        return import_module("pyarrow.parquet")
    except ImportError as error:
        msg = (
            "Parquet needs the package pyarrow: pip install -c constraints.txt 'qrun-equiv[scale]'"
        )
        raise RunError(msg) from error


class ParquetRows:
    """Rows of a Parquet file; see :class:`~qrun_equiv.streaming.rows.Rows`.

    A missing value (null) is read as NaN.
    """

    def __init__(self, path: Path, n_features: int, columns: Sequence[str] | None) -> None:
        self._arrow = arrow()
        self._file = FileIdentity(path)
        with self._open() as file:
            schema, groups = file.schema_arrow, file.metadata
            self.n_rows = int(groups.num_rows)
            self._groups = [groups.row_group(k).num_rows for k in range(groups.num_row_groups)]
        self._names = _names(schema, columns, n_features, path)

    def _open(self) -> Any:
        path = self._file.path
        try:
            return self._arrow.ParquetFile(
                path, buffer_size=_BUFFER, pre_buffer=False, page_checksum_verification=True
            )
        except (OSError, ValueError) as error:
            msg = f"{path} is truncated or no Parquet file: {error!s:.200}"
            raise DataError(msg) from error

    @property
    def identity(self) -> dict[str, Any]:
        """See :class:`~qrun_equiv.streaming.rows.Rows`."""
        file = {"size": self._file.size, "sha256": self._file.sha256}
        return {"kind": "parquet", **file, "rows": self.n_rows, "columns": self._names}

    @property
    def described(self) -> str:
        """See :class:`~qrun_equiv.streaming.rows.Rows`."""
        return str(self._file.path)

    def chunks(self, start: int, size: int, digest: str = "") -> Iterator[Array]:
        """See :class:`~qrun_equiv.streaming.rows.Rows`."""
        del digest  # the file's own is known
        kept: list[Array] = []
        count = 0
        for block in self._blocks(start, size):
            kept.append(block)
            count += len(block)
            if count >= size:  # a block has at most size rows
                whole = np.concatenate(kept)
                yield whole[:size]
                kept, count = [whole[size:]], count - size
        if count:
            yield np.concatenate(kept)

    def _blocks(self, start: int, size: int) -> Iterator[Array]:
        """Rows from ``start`` on, in blocks of any length up to ``size``."""
        group = first = 0
        while group < len(self._groups) and first + self._groups[group] <= start:
            first += self._groups[group]
            group += 1
        with self._open() as file:
            batches = file.iter_batches(
                batch_size=size,
                row_groups=list(range(group, len(self._groups))),
                columns=self._names,
                use_threads=False,
            )
            while True:
                try:
                    batch = next(batches, None)
                except (OSError, ValueError) as error:
                    msg = f"{self._file.path} is damaged from row {first} on: {error!s:.200}"
                    raise DataError(msg) from error
                if batch is None:
                    return
                block = self._convert(batch, first)
                first += len(block)
                if first > start:
                    yield block[max(0, len(block) - (first - start)) :]

    def _convert(self, batch: Any, first: int) -> Array:
        found = np.empty((batch.num_rows, len(self._names)))
        for k, name in enumerate(self._names):
            column = batch.column(name)
            label = [f"column {name!r} of {self._file.path}"]
            if column.null_count:
                missing = column.is_null().to_numpy(zero_copy_only=False)
                column = column.fill_null(0)
            values = column.to_numpy(zero_copy_only=False)
            found[:, k] = exact(values[:, None], label, first)[:, 0]
            if batch.column(name).null_count:
                found[missing, k] = np.nan
        return found

    def digest(self) -> str:
        """See :class:`~qrun_equiv.streaming.rows.Rows`."""
        return ""

    def check_unchanged(self) -> None:
        """See :class:`~qrun_equiv.streaming.rows.Rows`."""
        self._file.check()


def _names(schema: Any, columns: Sequence[str] | None, n_features: int, path: Path) -> list[str]:
    wanted = [c.strip() for c in columns] if columns is not None else list(schema.names)
    listed = ", ".join(schema.names[:20]) + (", ..." if len(schema.names) > 20 else "")
    for name in wanted:
        if schema.names.count(name) != 1:
            many = "no" if name not in schema.names else "more than one"
            msg = f"{path} has {many} column {name!r}; it has {listed}"
            raise DataError(msg)
    if len(wanted) != n_features:
        remedy = "" if columns is not None else f"; choose {n_features} with --columns"
        msg = f"{path}: {len(wanted)} column(s), the pair takes {n_features}; it has {listed}"
        raise DataError(msg + remedy)
    types = import_module("pyarrow.types")
    for name in wanted:
        kind = schema.field(name).type
        if not (types.is_integer(kind) or types.is_floating(kind)):
            msg = f"column {name!r} of {path} holds {kind}, no numbers; convert it first"
            raise DataError(msg)
    return wanted


def assemble(source: Path, target: Path, chunk: int) -> None:
    """An NPY file ``[rows, n_outputs]`` as Parquet, a row group a chunk, columns ``output0``, ...

    The same rows and chunk give the same bytes (with one version of pyarrow).
    """
    parquet, pyarrow = arrow(), import_module("pyarrow")
    with source.open("rb") as stream, target.open("wb") as sink:
        np.lib.format.read_magic(stream)
        (rows, outputs), _, dtype = np.lib.format.read_array_header_1_0(stream)
        names = [f"output{k}" for k in range(outputs)]
        schema = pyarrow.schema([(name, pyarrow.from_numpy_dtype(dtype)) for name in names])
        with parquet.ParquetWriter(sink, schema, use_dictionary=False) as writer:
            for first in range(0, rows, chunk):
                count = min(chunk, rows - first)
                block: NDArray[Any] = np.fromfile(stream, dtype, count * outputs)
                columns = [pyarrow.array(c) for c in block.reshape(count, outputs).T.copy()]
                table = pyarrow.Table.from_arrays(columns, schema=schema)
                writer.write_table(table, row_group_size=chunk)
        sink.flush()
        os.fsync(sink.fileno())

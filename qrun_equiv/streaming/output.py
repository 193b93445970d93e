"""The output while it grows and when it is done: NPY, or Parquet made of it at the end."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from qrun_equiv.streaming.errors import RunError
from qrun_equiv.streaming.journal import open_to_change, writing
from qrun_equiv.streaming.manifest import file_digest, manifest_path
from qrun_equiv.streaming.parquet import arrow, assemble


class Output:
    """An output file and the files beside it.

    Attributes:
        path: where it is in the end.
        partial: where it grows, as NPY.
        journal: see :mod:`qrun_equiv.streaming.journal`.
        format: ``"npy"`` or ``"parquet"``.
    """

    def __init__(self, path: Path, *inputs: Path) -> None:
        """Name the files; ``inputs`` are files that must stay what they are.

        Raises:
            RunError: no format is known by this name, the folder is missing, a package is missing,
                or the files would overwrite an input.
        """
        suffix = path.suffix.lower()
        if suffix not in {".npy", ".parquet"}:
            msg = f"the output {path} is neither .npy nor .parquet; name it so"
            raise RunError(msg)
        if path.is_dir() or not path.parent.is_dir():
            msg = f"can't write {path}: {'it' if path.is_dir() else path.parent} is " + (
                "a folder" if path.is_dir() else "no folder; make it first"
            )
            raise RunError(msg)
        self.path, self.format = path, suffix[1:]
        self.partial = path.with_name(path.name + ".partial")
        self.journal = path.with_name(path.name + ".journal")
        self._assembled = path.with_name(path.name + ".assembling")
        if self.format == "parquet":
            arrow()  # missing? then say so before the work
        ours = (path, self.partial, self.journal, self._assembled, manifest_path(path))
        for file in inputs:
            if file.resolve() in {one.resolve() for one in ours}:
                msg = f"the output would overwrite {file}; name another one"
                raise RunError(msg)

    def refuse_existing(self) -> None:
        """Raise a RunError where the output exists."""
        if self.path.exists():
            msg = f"{self.path} exists; name another output, or replace it with --overwrite"
            raise RunError(msg)

    @contextmanager
    def grow(self, length: int) -> Iterator[io.FileIO]:
        """The partial file, cut to ``length`` bytes and open at its end."""
        with writing(self.partial):
            stream = open_to_change(self.partial)
            stream.truncate(length)
            stream.seek(length)
        with stream:
            yield stream

    def check_space(self, done: int, total: int) -> None:
        """Find a disk that is too small before the work, not after it.

        Args:
            done: bytes that stand.
            total: bytes of the whole.

        Raises:
            RunError: the message says how much is missing.
        """
        needed = total - done + (total if self.format == "parquet" else 0)
        free = shutil.disk_usage(self.path.parent).free
        if needed > free:
            msg = (
                f"{self.path.parent} has {free / 1e9:.2f} GB free, the output needs "
                f"{needed / 1e9:.2f} GB more; make room or name another place"
            )
            raise RunError(msg)

    def assemble(self, digest: str, chunk: int) -> tuple[int, str]:
        """Make the final file beside its place: its length and SHA-256 (``digest`` for NPY)."""
        if self.format == "npy":
            return self.partial.stat().st_size, digest
        with writing(self._assembled):
            assemble(self.partial, self._assembled, chunk)
            return self._assembled.stat().st_size, file_digest(self._assembled)

    def publish(self) -> None:
        """Move the final file into place."""
        with writing(self.path):
            (self.partial if self.format == "npy" else self._assembled).replace(self.path)
            self.partial.unlink(missing_ok=True)
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def head(rows: int, outputs: int, dtype: np.dtype[Any]) -> bytes:
    """The head of an NPY file ``[rows, outputs]``."""
    stream = io.BytesIO()
    described = {"descr": dtype.str, "fortran_order": False, "shape": (rows, outputs)}
    np.lib.format.write_array_header_1_0(stream, described)
    return stream.getvalue()

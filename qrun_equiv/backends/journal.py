"""A journal: one JSON line an item, on disk before the next, so that a killed run goes on.

The first line says what the file is and which versions wrote it. A line that was being written when
the process died is cut off; what it was about runs again. A later line about an item stands for an
earlier one (an item that was lost and ran again).
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from qrun_equiv.backends.fingerprint import Fingerprint, mismatch
from qrun_equiv.errors import QrunEquivError

_KIND, _SCHEMA = "qrun-equiv sweep", 1


class JournalError(QrunEquivError):
    """A journal is damaged, of other versions, in use, or can't be written."""


class Journal:
    """The journal of a folder, open for appending; one process at a time.

    Attributes:
        lines: the lines so far by key, in the order of their first appearance.
    """

    def __init__(self, path: Path, versions: Fingerprint) -> None:
        """Open or begin a journal.

        Raises:
            JournalError: see the class.
        """
        self.path = path
        self.lines: dict[str, Mapping[str, Any]] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        except OSError as error:
            msg = f"can't write {path}: {error.strerror or error}; name another folder"
            raise JournalError(msg) from error
        try:
            self._lock()
            self._read(versions)
        except BaseException:
            os.close(self._handle)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        os.close(self._handle)

    def append(self, line: Mapping[str, Any]) -> None:
        """Write one line, which has a ``"key"``, and wait until it is on disk.

        Raises:
            JournalError: the disk is full or gone.
        """
        self._write(line)
        self.lines[line["key"]] = line

    def _lock(self) -> None:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            msg = f"another process is writing {self.path}: wait for it, or name another folder"
            raise JournalError(msg) from error
        except OSError as error:  # a file system without locks
            msg = f"can't lock {self.path}: {error.strerror or error}; name a folder elsewhere"
            raise JournalError(msg) from error

    def _read(self, versions: Fingerprint) -> None:
        whole = self.path.read_bytes()
        kept = whole[: whole.rfind(b"\n") + 1]
        lines = [self._parse(text, n) for n, text in enumerate(kept.splitlines(), 1)]
        if lines:
            self._check_header(lines[0], versions)
        os.ftruncate(self._handle, len(kept))
        if not lines:
            self._write({"kind": _KIND, "schema": _SCHEMA, "versions": dict(versions)})
        self.lines = {line["key"]: line for line in lines[1:]}

    def _parse(self, text: bytes, number: int) -> Mapping[str, Any]:
        try:
            line = json.loads(text)
        except ValueError:
            line = None
        if not isinstance(line, dict) or (number > 1 and not isinstance(line.get("key"), str)):
            msg = (
                f"{self.path}, line {number}, is damaged: remove that line, and its item runs again"
            )
            raise JournalError(msg)
        return line

    def _check_header(self, header: Mapping[str, Any], versions: Fingerprint) -> None:
        if header.get("kind") != _KIND or header.get("schema") != _SCHEMA:
            msg = f"{self.path} is no journal of this version's sweeps; name another folder"
            raise JournalError(msg)
        other = mismatch(header["versions"], versions, ("then", "now"))
        if other:
            msg = f"{self.path} was begun with other versions ({other}): name another folder"
            raise JournalError(msg)

    def _write(self, line: Mapping[str, Any]) -> None:
        data = (json.dumps(line, separators=(",", ":"), allow_nan=False) + "\n").encode()
        try:
            while data:
                data = data[os.write(self._handle, data) :]
            os.fsync(self._handle)
        except OSError as error:
            msg = (
                f"can't write {self.path}: {error.strerror or error}; "
                "make room, and start the same command again: it goes on"
            )
            raise JournalError(msg) from error

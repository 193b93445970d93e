"""What a run has done so far, on disk: a line a commit, each written after its rows.

The first line is the run's identity (input, certificate, pair, dtype, ...): a journal is continued
by the same run only. Every further line says how many rows and bytes of the output stand, their
running SHA-256, and the counts so far. A process that is killed at any point leaves whole lines and
at most one torn one; rows beyond the last whole line are computed again.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from qrun_equiv.streaming.errors import RunError

_BLOCK = 1 << 22


@dataclass
class Totals:
    """Counts of a run up to some row, over all its parts.

    Attributes:
        rows: rows written.
        bytes: length of the output up to there, its head included.
        digest: SHA-256 of these bytes.
        input_digest: SHA-256 of what a pipe gave up to there; empty for a file.
        batch: rows evaluated at once.
        batches: ``[first row, batch]``, wherever memory made it smaller.
        not_finite: rows with a feature that is NaN or infinite; their outputs are NaN.
        outside: rows outside of what the certificate covers.
        checked: rows held to float64.
        native: rows held to the native circuit.
        worst_error: largest error of a checked row.
        worst_ratio: largest error as a part of its bound.
        worst_row: where that was; -1 where none was checked.
        worst_native: largest difference from the native circuit.
        seconds: wall time, of all parts together.
        resumes: how often the run was continued.
    """

    rows: int = 0
    bytes: int = 0
    digest: str = ""
    input_digest: str = ""
    batch: int = 0
    batches: list[list[int]] = field(default_factory=list)
    not_finite: int = 0
    outside: int = 0
    checked: int = 0
    native: int = 0
    worst_error: float = 0.0
    worst_ratio: float = 0.0
    worst_row: int = -1
    worst_native: float = 0.0
    seconds: float = 0.0
    resumes: int = 0


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a failed write (a full disk, most of all) into an error that names the remedy."""
    try:
        yield
    except OSError as error:
        msg = (
            f"can't write {path}: {error.strerror or error}; what stands is whole: make room (or "
            "fix the cause) and give the same command again, it goes on from there"
        )
        raise RunError(msg) from error


def open_to_change(path: Path) -> io.FileIO:
    """Open or create a file, without a buffer: a failed write is not tried again at its closing."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b", buffering=0)


def write_all(stream: io.FileIO, data: bytes | memoryview) -> None:
    """Write all of it: an unbuffered file may take a part."""
    view = memoryview(data).cast("B")
    while len(view):
        view = view[stream.write(view) :]


class Journal:
    """An open journal, locked against a second run with the same output."""

    def __init__(self, path: Path) -> None:
        """Open or create the file.

        Raises:
            RunError: it can't be opened, or another process has it.
        """
        self.path = path
        with writing(path):
            self._stream = open_to_change(path)
        try:
            _lock(self._stream)
        except OSError as error:
            self._stream.close()
            msg = f"another run is writing the output of {path}; wait for it, or name another one"
            raise RunError(msg) from error
        self.identity: dict[str, Any] | None = None
        self.setting: dict[str, Any] = {}
        self.entries: list[tuple[int, Totals]] = []
        self._read()
        #: Rows that stand by the last line.
        self.rows = self.entries[-1][1].rows if self.entries else 0

    def _read(self) -> None:
        """Whole lines, up to the first that is torn."""
        end = 0
        for line in self._stream.readall().splitlines(keepends=True):
            body = _parse(line)
            if body is None:
                return
            end += len(line)
            if self.identity is None:
                self.identity, self.setting = body["identity"], body["setting"]
                self._head = end
            else:
                self.entries.append((end, Totals(**body)))

    def begin(self, identity: Mapping[str, Any], setting: Mapping[str, Any]) -> None:
        """Make it the empty journal of a new run.

        Args:
            identity: what a run must have in common with this one to continue it.
            setting: what a run that continues it takes over.
        """
        self.identity, self.setting, self.entries = dict(identity), dict(setting), []
        self.rows = 0
        self._cut(0)
        self._append({"identity": self.identity, "setting": self.setting})
        self._head = self._stream.tell()

    def check(self, identity: Mapping[str, Any], remedy: str) -> None:
        """Refuse to continue another run.

        Raises:
            RunError: something differs; the message says what.
        """
        for name, *values in _differences(self.identity or {}, identity):
            was, now = (json.dumps(value)[:120] for value in values)
            msg = f"{self.path} is of another run: its {name} was {was}, now it is {now}; "
            raise RunError(msg + remedy)

    def resume(self, output: Path) -> tuple[Totals, Any]:
        """The last commit whose bytes stand in the output, with the state of their SHA-256.

        Both files are cut to it.
        """
        running, good, end, at = hashlib.sha256(), Totals(), self._head, 0
        state = running.copy()
        if output.exists():
            with output.open("rb") as stream:
                for place, totals in self.entries:
                    _update(running, stream, totals.bytes - at)
                    if running.hexdigest() != totals.digest:
                        break
                    state, good, end, at = running.copy(), totals, place, totals.bytes
        self.rows = good.rows
        self._cut(end)
        return good, state

    def commit(self, totals: Totals) -> None:
        """Append a line and wait until it is on disk."""
        with writing(self.path):
            self._append(asdict(totals))
        self.rows = totals.rows

    def _append(self, body: Mapping[str, Any]) -> None:
        text = json.dumps(body, separators=(",", ":"))
        line = f"{_sum(text)} {text}\n".encode()
        write_all(self._stream, line)
        os.fsync(self._stream.fileno())

    def _cut(self, length: int) -> None:
        self._stream.seek(length)
        self._stream.truncate()

    def close(self) -> None:
        """Release it."""
        self._stream.close()

    def remove(self) -> None:
        """Delete it: the run is over."""
        self.path.unlink(missing_ok=True)


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """What differs, with both values: by ``name``, or ``name key`` within a mapping."""
    for name in sorted({*old, *new}):
        was, now = old.get(name), new.get(name)
        if isinstance(was, dict) and isinstance(now, dict):
            yield from ((f"{name} {key}", *pair) for key, *pair in _differences(was, now))
        elif was != now:
            yield name, was, now


def _lock(stream: io.FileIO) -> None:
    try:
        import fcntl
    except ImportError:  # a system without it
        return
    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _parse(line: bytes) -> dict[str, Any] | None:
    """A line's body; ``None`` where it is torn or damaged."""
    head, _, text = line.decode(errors="replace").partition(" ")
    if not text.endswith("\n") or head != _sum(text[:-1]):
        return None
    body: dict[str, Any] = json.loads(text)
    return body


def _update(state: Any, stream: io.BufferedReader, count: int) -> None:
    while count:
        part = stream.read(min(_BLOCK, count))
        if not part:
            return
        state.update(part)
        count -= len(part)

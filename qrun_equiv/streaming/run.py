"""Run a verified pair's classical counterpart on any number of rows.

The output grows in ``OUT.partial``, chunk after chunk; ``OUT.journal`` says how far it stands
(:mod:`qrun_equiv.streaming.journal`). Chunks begin at fixed rows and are evaluated in fixed
batches, so a run that was killed and continued writes the same bytes as one that was not. At the
end the manifest is written and the output moved into place.
"""

from __future__ import annotations

import hashlib
import io
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch

from qrun_equiv.errors import DataError
from qrun_equiv.pair import Pair
from qrun_equiv.streaming.errors import BoundError
from qrun_equiv.streaming.evaluation import Evaluate
from qrun_equiv.streaming.journal import Journal, Totals, write_all, writing
from qrun_equiv.streaming.manifest import file_digest, read_manifest
from qrun_equiv.streaming.options import Options
from qrun_equiv.streaming.output import head
from qrun_equiv.streaming.plan import Plan, make_plan
from qrun_equiv.streaming.record import identity_digest, record
from qrun_equiv.streaming.rows import Array

#: Called after every chunk with the counts so far and the number of rows.
Progress = Callable[[Totals, int], None]


def run(
    pair: Pair,
    certificate: str | Path | None,
    data: str | Path | BinaryIO,
    output: str | Path,
    *,
    evaluate: Evaluate | None = None,
    name: str = "",
    progress: Progress | None = None,
    options: Options | None = None,
    **changed: Any,
) -> dict[str, Any]:
    """Evaluate a pair's counterpart on rows of any number, in constant memory.

    The same call continues a run that was killed. ``OUT.manifest.json`` records everything.

    Args:
        pair: the pair.
        certificate: its certificate's file; ``None`` only with ``unverified=True``.
        data: ``.npy`` or ``.parquet`` file with rows ``[rows, n_features]``, or a binary stream of
            NPY.
        output: ``.npy`` or ``.parquet`` file, ``[rows, n_outputs]`` in float64 (or float32).
        evaluate: something faster that equals the counterpart at the parameters, ``x [rows,
            n_features]`` in the dtype and on the device to ``[rows, n_outputs]``; it is held to the
            counterpart in float64 like the counterpart's own results.
        name: what evaluates, for the manifest; the function's own name where left out.
        progress: called after every chunk.
        options: how; further keywords change single ones.
        **changed: fields of :class:`Options`.

    Returns:
        The manifest.

    Raises:
        CertificateError: the certificate does not admit the run.
        DataError: the input does not fit, is damaged, or has rows that the certificate does not
            cover.
        BoundError: results left their bound; what was written before stands in ``OUT.partial``.
        RunError: anything else that keeps it from going on.
    """
    options = replace(options or Options(), **changed)
    if not name:
        name = (
            "counterpart" if evaluate is None else getattr(evaluate, "__qualname__", "a function")
        )
    source = Path(data) if isinstance(data, str | Path) else data
    admitted = None if certificate is None else Path(certificate)
    plan = make_plan(pair, admitted, source, Path(output), options, evaluate=evaluate, name=name)
    if not (options.overwrite or plan.output.journal.exists()):
        plan.output.refuse_existing()  # and leave no journal there
    journal = Journal(plan.output.journal)
    try:
        manifest = _finished(plan, journal)
        return manifest or _run(plan, journal, progress)
    finally:
        if not journal.rows:  # nothing stands, or all of it is in place
            journal.remove()
            plan.output.partial.unlink(missing_ok=True)
        journal.close()


def _finished(plan: Plan, journal: Journal) -> dict[str, Any] | None:
    """The manifest of a run that was killed after its last step but one."""
    complete = False
    if journal.rows and not plan.options.restart:
        remedy = "give the same command with the same input, or begin anew with --restart"
        journal.check(plan.identity, remedy)
        complete = journal.rows == plan.rows.n_rows
    if complete and plan.output.path.exists() and not plan.output.partial.exists():
        manifest = read_manifest(plan.output.path)
        same = manifest["run"] == identity_digest(plan)
        if same and manifest["output"].get("sha256") == file_digest(plan.output.path):
            journal.remove()
            return manifest
    if not (complete or plan.options.overwrite):
        plan.output.refuse_existing()
    return None


def _run(plan: Plan, journal: Journal, progress: Progress | None) -> dict[str, Any]:
    totals, state = _begin(plan, journal)
    with _threads(journal.setting["threads"]), plan.output.grow(totals.bytes) as stream:
        loop = _Loop(plan, journal, stream, totals, state, time.perf_counter(), totals.seconds)
        loop.head()
        try:
            for x in plan.rows.chunks(totals.rows, plan.chunk, totals.input_digest):
                loop.chunk(x)
                if progress is not None:
                    progress(totals, plan.rows.n_rows)
        except BoundError as error:
            loop.commit()
            record(plan, totals, journal.setting, {}, str(error))
            raise
        except DataError:
            loop.commit()
            raise
        loop.commit()
    size, digest = plan.output.assemble(totals.digest, plan.chunk)
    manifest = record(plan, totals, journal.setting, {"bytes": size, "sha256": digest})
    plan.output.publish()
    journal.remove()
    return manifest


def _begin(plan: Plan, journal: Journal) -> tuple[Totals, Any]:
    """Counts so far, and the state of the output's SHA-256."""
    first = head(plan.rows.n_rows, plan.check.outputs, plan.evaluator.output)
    row = plan.check.outputs * plan.evaluator.output.itemsize
    size = len(first) + plan.rows.n_rows * row
    if plan.options.restart or not journal.rows:
        plan.output.check_space(0, size)
        with writing(journal.path):
            journal.begin(plan.identity, {"threads": torch.get_num_threads()})
        return Totals(), hashlib.sha256()
    totals, state = journal.resume(plan.output.partial)
    plan.output.check_space(totals.bytes, size)
    totals.resumes += 1
    return totals, state


@contextmanager
def _threads(number: int) -> Iterator[None]:
    """As many threads as the run began with: sums may depend on how they are split."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@dataclass
class _Loop:
    """One part of a run: from a start to its end or the next kill."""

    plan: Plan
    journal: Journal
    stream: io.FileIO
    totals: Totals
    state: Any
    begun: float
    before: float
    committed: float = 0.0

    def head(self) -> None:
        """The output's first bytes, where it is new; and a commit, which records a resumption."""
        if not self.totals.bytes:
            shape = self.plan.rows.n_rows, self.plan.check.outputs
            self._write(head(*shape, self.plan.evaluator.output))
        self.commit()

    def chunk(self, x: Array) -> None:
        """Evaluate, check and write the next rows ``[rows, n_features]``."""
        plan, totals, first = self.plan, self.totals, self.totals.rows
        low, high = plan.admission.box.T
        finite = np.all(np.isfinite(x), axis=1)
        inside = finite & np.all((x >= low) & (x <= high), axis=1)
        outside = np.flatnonzero(finite & ~inside)
        if len(outside) and not plan.options.allow_outside:
            raise DataError(_outside(plan, first + int(outside[0]), x[outside[0]]))
        # Rows that are no numbers are evaluated at others, so that batches keep their sizes.
        safe = x if finite.all() else np.where(finite[:, None], x, np.clip(0.0, low, high))
        batch = totals.batch or plan.chunk
        out, held = plan.evaluator.in_batches(safe, batch)
        out[~finite] = np.nan
        found = plan.check.check(first // plan.chunk, first, x, out, finite, inside)
        self._write(out.data)
        if held != batch:
            totals.batches.append([first, held])
        totals.batch = held
        totals.rows += len(x)
        totals.input_digest = plan.rows.digest()
        totals.not_finite += int(np.count_nonzero(~finite))
        totals.outside += len(outside)
        totals.checked += found.checked
        totals.native += found.native
        if found.ratio > totals.worst_ratio or totals.worst_row < 0:
            totals.worst_ratio, totals.worst_row = found.ratio, found.row
        totals.worst_error = max(totals.worst_error, found.error)
        totals.worst_native = max(totals.worst_native, found.native_error)
        if time.perf_counter() - self.committed >= plan.options.commit_seconds:
            self.commit()

    def _write(self, data: bytes | memoryview) -> None:
        with writing(self.plan.output.partial):
            write_all(self.stream, data)
        self.state.update(data)
        self.totals.bytes += len(memoryview(data).cast("B"))

    def commit(self) -> None:
        """Rows to the disk, then the line that says so."""
        self.plan.rows.check_unchanged()
        with writing(self.plan.output.partial):
            os.fsync(self.stream.fileno())
        self.committed = time.perf_counter()
        self.totals.seconds = self.before + self.committed - self.begun
        self.totals.digest = self.state.hexdigest()
        self.journal.commit(self.totals)


def _outside(plan: Plan, row: int, x: Array) -> str:
    low, high = plan.admission.box.T
    j = int(np.flatnonzero((x < low) | (x > high))[0])
    value, least, most = (float(v[j]) for v in (x, low, high))
    return (
        f"row {row} has x{j} = {value!r}; the certificate covers [{least!r}, {most!r}] only: drop "
        "such rows, verify on a larger domain, or run them with --allow-outside"
    )

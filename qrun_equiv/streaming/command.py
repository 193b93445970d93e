"""What ``qrun-equiv run`` does, with plain arguments."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from qrun_equiv.pair import Pair
from qrun_equiv.streaming.errors import BoundError, RunError
from qrun_equiv.streaming.journal import Totals
from qrun_equiv.streaming.manifest import manifest_path, verify_manifest
from qrun_equiv.streaming.options import Options
from qrun_equiv.streaming.run import run

STOPPED = 1
_EVERY = 10.0  # seconds between two lines where there is no terminal


class Reporter:
    """How far a run is: a bar on a terminal, else a line every ten seconds, on standard error."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._begun = self._said = time.monotonic()
        self._first: int | None = None
        self._batch = 0
        self._bar = Progress(
            TextColumn("{task.completed:,.0f} of {task.total:,.0f} rows"),
            BarColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._bar.add_task("", total=None, rate="")

    def __enter__(self) -> Reporter:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, totals: Totals, rows: int) -> None:
        """After a chunk."""
        now = time.monotonic()
        if self._first is None:  # what stood before this part of the run is not its speed
            self._first = totals.rows if totals.resumes else 0
            self._begun = now if totals.resumes else self._begun
        if totals.batch < self._batch:
            self.console.print(f"out of memory: batches of {totals.batch} rows from here on")
        self._batch = totals.batch
        seconds = now - self._begun
        rate = (totals.rows - self._first) / seconds if seconds > 0 else 0.0
        shown = f"{rate:,.0f} rows/s, worst {totals.worst_ratio:.1e} of its bound"
        self._bar.update(self._task, completed=totals.rows, total=rows, rate=shown)
        if not self.console.is_terminal and now - self._said >= _EVERY:
            self._said = now
            left = f"{(rows - totals.rows) / rate:,.0f} s left" if rate else "time left unknown"
            self.console.print(f"{totals.rows:,} of {rows:,} rows, {shown}, {left}", soft_wrap=True)


def run_command(
    pair: Pair,
    certificate: Path | None,
    data: str,
    output: Path,
    *,
    console: Console | None = None,
    **options: Any,
) -> int:
    """Run, show progress and the outcome.

    Args:
        pair: the pair.
        certificate: its certificate.
        data: the input's path; ``-`` is NPY on the standard input.
        output: the output's path.
        console: where the outcome is printed.
        **options: fields of :class:`Options`; ``columns`` with commas between.

    Returns:
        the exit code: 0, or 1 where results left their bound.

    Raises:
        QrunEquivError: what keeps it from running (exit code 2).
    """
    console = console or Console(highlight=False)
    columns = options.pop("columns", None)
    if columns is not None:
        options["columns"] = [name.strip() for name in columns.split(",")]
    source = sys.stdin.buffer if data == "-" else Path(data)
    if data == "-" and sys.stdin.isatty():
        msg = "the standard input is a terminal; pipe NPY data into it, or name a file"
        raise RunError(msg)
    complaints = Console(stderr=True, highlight=False)
    try:
        with Reporter(complaints) as reporter:
            made = run(
                pair, certificate, source, output, progress=reporter, options=Options(**options)
            )
    except KeyboardInterrupt:
        complaints.print("the same command (with the same input) goes on from here")
        raise
    except BoundError as error:
        complaints.print("[red]stopped:[/red]", end=" ")
        complaints.print(str(error), markup=False, soft_wrap=True)
        stands = f"the rows before stand in {output}.partial; see {manifest_path(output)}"
        complaints.print(stands, markup=False, soft_wrap=True)
        return STOPPED
    for line in summary(made):
        console.print(line, markup=False, soft_wrap=True)
    return 0


def check_command(output: Path, console: Console | None = None) -> int:
    """Hold an output to its manifest and say what it is; see :func:`verify_manifest`."""
    made = verify_manifest(output)
    console = console or Console(highlight=False)
    for line in summary(made):
        console.print(line, markup=False, soft_wrap=True)
    return 0


def summary(made: dict[str, Any]) -> list[str]:
    """A manifest in a few lines."""
    check, certificate = made["check"], made["certificate"]
    speed = made["rows"] / made["seconds"] if made["seconds"] else 0.0
    lines = [f"UNVERIFIED {made['UNVERIFIED']}"] if "UNVERIFIED" in made else []
    written = (
        f"output   {made['output']['path']} ({made['rows']:,} rows, {made['output']['dtype']}, "
        f"{made['seconds']:.1f} s, {speed:,.0f} rows/s, resumed {made['resumed']} times)"
    )
    checked = (
        f"checked  {check['rows in float64']:,} rows in float64: worst error "
        f"{check['worst error']:.1e}, {check['worst part of its bound']:.1e} of its bound; "
        f"{check['rows by the circuit']} by {check['circuit']}: "
        f"{check['worst difference from the circuit']:.1e}"
    )
    lines += [written, checked]
    if made["rows not finite"]:
        lines.append(f"NaN      {made['rows not finite']:,} rows have a feature that is no number")
    if made["rows outside"]:
        lines.append(f"outside  {made['rows outside']:,} rows lie outside the certificate's domain")
    if "status" in certificate and "UNVERIFIED" not in made:
        lines.append(f"rests on {certificate['path']} ({certificate['status']})")
    lines += [f"note     {note}" for note in made["notes"]]
    return lines

"""What the command line shows, and how it is interrupted."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qrun_equiv.certificate import Verdict
    from qrun_equiv.chain import Chapter, Result
    from qrun_equiv.pair import Pair

# Redirected to a file, rich assumes 80 columns, too few for the table.
console = Console(highlight=False, width=None if sys.stdout.isatty() else 132)
complaints = Console(stderr=True, highlight=False)


def leave_at_once(code: int) -> None:
    """Exit without waiting for worker processes that are in the middle of a pair."""
    sys.stderr.flush()
    os._exit(code)


@contextmanager
def interrupts() -> Iterator[Callable[[], None]]:
    """A check that ends the command if a Ctrl-C was lost: callbacks and user code swallow some."""
    seen = []

    def remember(number: int, frame: object) -> None:
        del frame
        seen.append(number)
        raise KeyboardInterrupt

    def check() -> None:
        if seen:
            raise KeyboardInterrupt

    old = signal.signal(signal.SIGINT, remember)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, old)


@contextmanager
def loading() -> Iterator[None]:
    """Say that the frameworks are being imported: it takes seconds."""
    if console.is_terminal:
        with console.status("loading PennyLane, Qiskit and torch"):
            yield
    else:
        yield


def figure_formats(text: str) -> tuple[str, ...]:
    """The formats of ``--figures``; ``none`` is none of them.

    Raises:
        ReportError: a format that figures are not written in.
    """
    with loading():
        from qrun_equiv.reporting.page import check_formats
    formats = tuple(part.strip().lower() for part in text.split(",") if part.strip())
    formats = () if formats == ("none",) else formats
    check_formats(formats)
    return formats


def writable(
    folder: Path | None, json_file: Path | None = None, remedy: str = "with --output"
) -> None:
    """Find out before the work whether its results can be written."""
    from qrun_equiv.errors import ReportError

    if json_file is not None and json_file.is_dir():
        msg = f"can't write to {json_file}: it is a folder; name a file with --json"
        raise ReportError(msg)
    for place in (folder, json_file.parent if json_file else None):
        if place is None:
            continue
        try:
            place.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=place):
                pass
        except OSError as error:
            msg = f"can't write to {place}: {error.strerror or error}; name another place {remedy}"
            raise ReportError(msg) from error


def print_table(results: Sequence[tuple[Pair, Verdict]]) -> None:
    """One line a pair: claim, verdict, worst errors, time."""
    from qrun_equiv.certificate import FEATURES, OUTPUTS, PARAMETERS, SPECTRUM

    table = Table(box=None, pad_edge=False, title_justify="left")
    table.add_column("pair", overflow="fold")
    for heading in ("claim", "verdict"):
        table.add_column(heading, no_wrap=True)
    for heading in ("outputs", "d/dx", "d/dtheta", "spectrum", "seconds"):
        table.add_column(heading, justify="right", no_wrap=True)
    for pair, verdict in results:
        good = pair.as_claimed(verdict.status)
        errors = [verdict.worst(kind) for kind in (OUTPUTS, FEATURES, PARAMETERS, SPECTRUM)]
        cells = ["-" if e is None else f"{e:.1e}" for e in errors]
        status = f"[{'green' if good else 'red'}]{verdict.status.value}[/]"
        row = (escape(pair.name), pair.claim, status, *cells, f"{verdict.seconds:.2f}")
        table.add_row(*row)
    console.print()
    console.print(table)
    right = sum(p.as_claimed(v.status) for p, v in results)
    console.print(f"\n{right} of {len(results)} pairs as claimed (errors are relative)")


def print_chapter(chapter: Chapter, results: Sequence[Result], *, first: bool) -> None:
    """One chapter's links; shares of the width, so that the chapters' columns align."""
    table = Table(box=None, pad_edge=False, expand=True, show_header=first)
    table.add_column("", width=2)
    table.add_column("claim", ratio=1, overflow="fold")
    table.add_column("verdict", width=10)
    table.add_column("what it rests on", ratio=1, overflow="fold")
    table.add_column("seconds", justify="right", width=7)
    table.add_row(str(chapter.number), f"[bold]{escape(chapter.title)}[/bold]")
    for result in results:
        shown, good = result.shown, result.as_claimed
        verdict = f"[{'green' if good else 'red'}]{shown.status.value}[/]"
        rests = shown.rests_on
        if not good:
            rests = f"NOT AS CLAIMED ({result.link.expects.value}): {rests}"
        cells = (escape(result.link.claim), verdict, escape(rests), f"{result.seconds:.1f}")
        table.add_row("", *cells)
    console.print(table)


def print_details(results: Sequence[tuple[Pair, Verdict]], *, verbose: bool) -> None:
    """Every check of the pairs that are not as claimed, or of all."""
    for pair, verdict in results:
        if verbose or not pair.as_claimed(verdict.status):
            console.print(f"\n[bold]{escape(pair.name)}[/bold] (claimed {pair.claim})")
            console.print(escape(str(verdict)), soft_wrap=True)

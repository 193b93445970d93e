"""What ``qrun-equiv sweep`` does, and prints."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from qrun_equiv.backends.mapping import check_options
from qrun_equiv.errors import DataError
from qrun_equiv.pair import Pair
from qrun_equiv.sweep.items import Array, Item, make_items, read_parameter_sets
from qrun_equiv.sweep.running import exit_code, summary, sweep
from qrun_equiv.terminal import console, interrupts, writable
from qrun_equiv.verification import LEVELS

#: Seconds between two lines of progress where the output is no terminal.
_EVERY_S = 10.0


def sweep_command(
    pairs: Sequence[Pair],
    output: Path,
    *,
    parameter_sets: str | None = None,
    seed: int = 0,
    seeds: int = 1,
    level: str = "auto",
    rows: Path | None = None,
    include: Sequence[Path] = (),
    jobs: int = 0,
    backend: str = "processes",
    scheduler: str | None = None,
) -> int:
    """Run (or go on with) a sweep into ``output``; returns the exit code.

    Args:
        pairs: collected from files.
        output: folder of the journal and the results.
        parameter_sets: an NPY file ``[sets, n_parameters]``, or a number of random sets.
        seed: the first seed, and the seed of random parameter sets.
        seeds: how many seeds.
        level: as for :func:`qrun_equiv.verify`.
        rows: NPY file ``[rows, n_features]``: evaluate the counterparts there, verify nothing.
        include: what the pair files read, to be sent along.
        jobs: items in flight; 0 for one a core, or one a worker.
        backend: see :func:`qrun_equiv.backends.mapping.map_unordered`.
        scheduler: address of a cluster.

    Raises:
        QrunEquivError: bad input; see :func:`qrun_equiv.sweep.items.make_items` and
            :func:`qrun_equiv.sweep.running.sweep`.
    """
    check_options(backend, jobs, scheduler)
    known = next((one for one in LEVELS if one == level), None)
    if known is None:
        msg = f"unknown --level {level!r}; one of {', '.join(LEVELS)}"
        raise DataError(msg)
    if seeds < 1:
        msg = f"--seeds must be 1 or more, got {seeds}"
        raise DataError(msg)
    writable(output)
    items = make_items(
        pairs,
        parameter_sets=_sets(parameter_sets),
        seed=seed,
        seeds=seeds,
        level=known,
        rows=rows,
        include=include,
    )
    _follow(items, output, {"backend": backend, "jobs": jobs, "scheduler": scheduler})
    _print(summary(items, output))
    console.print(f"journal  {output / 'journal.jsonl'}", soft_wrap=True)
    return exit_code(items, output)


def _sets(given: str | None) -> int | Array | None:
    """``--parameter-sets``: a number, or a file."""
    if given is None:
        return None
    if not given.lstrip("-").isdigit():
        return read_parameter_sets(Path(given))
    if int(given) < 1:
        msg = f"--parameter-sets must be 1 or more sets, or an NPY file, got {given}"
        raise DataError(msg)
    return int(given)


def _follow(items: Sequence[Item], output: Path, options: dict[str, Any]) -> None:
    begun, shown, new = time.monotonic(), 0.0, 0
    total = len({item.key for item in items})
    waiting = console.status("starting workers") if console.is_terminal else nullcontext()
    with interrupts() as check, waiting as status:
        for line in sweep(items, output, **options):
            check()
            new += 1
            if not line["as_claimed"]:
                where = "" if line["set"] is None else f", set {line['set']}"
                text = f"{line['pair']} (seed {line['seed']}{where}): {line['status']}"
                more = f": {line['reason']}" if line["reason"] else "  NOT AS CLAIMED"
                console.print(escape(text + more), style="red", soft_wrap=True)
            seconds = time.monotonic() - begun
            text = f"{new} new of {total} items, {new / max(seconds, 1e-9):.1f} a second"
            if status is not None:
                status.update(text)
            elif seconds - shown > _EVERY_S:
                shown = seconds
                console.print(text)
    console.print(f"{new} items run, {total - new} of {total} were there already")


def _print(body: dict[str, Any]) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("pair", overflow="fold")
    table.add_column("statuses", overflow="fold")
    for heading in ("worst output error", "seconds"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, row in body["pairs"].items():
        worst = row["worst_output_error"]
        counts = ", ".join(f"{n} {status}" for status, n in row["statuses"].items())
        error = "-" if worst is None else f"{worst:.1e}"
        table.add_row(escape(name), counts, error, f"{row['seconds']:.1f}")
    console.print(table)
    lost = f", {body['lost']} lost (they run again next time)" if body["lost"] else ""
    console.print(f"\n{body['as_claimed']} of {body['items']} items as claimed{lost}")

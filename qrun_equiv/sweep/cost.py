"""What 10^9 or 10^12 rows cost: a model, with rates measured here.

A job moves ``file_bytes`` a row through the storage that all workers share, and each worker
evaluates ``rate`` rows a second, so N rows take

    seconds = max(N / (workers * rate), N * file_bytes / storage)

and a hundred workers help only until the storage is the limit. Memory traffic and operations a row
say what a device of other ceilings can reach. ``python -m qrun_equiv.sweep.cost`` measures one
worker of this machine (one thread) and prints the table of docs/cluster.md.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from qrun_equiv.errors import DataError
from qrun_equiv.fourier import FourierSeries
from qrun_equiv.qrun import QRUN
from qrun_equiv.scale import cost
from qrun_equiv.scale.fast_series import FastSeries

#: Of the exact counterpart that is measured: a serial circuit of one wire with so many re-uploads.
DEGREE = 8
_WIDTH, _BATCH, _ROWS = 512, 4096, 2**20
_ANGLE, _TERM = 40, 8  # operations: cosine and sine of an angle; a complex Horner step
_REPEATS = 7


@dataclass(frozen=True, slots=True)
class Job:
    """What one row costs.

    Attributes:
        name: for the table.
        file_bytes: read and written a row, float32.
        memory_bytes: that one evaluation must move a row.
        operations: that it must do a row.
        rate: rows a second of one worker, measured.
    """

    name: str
    file_bytes: float
    memory_bytes: float
    operations: float
    rate: float


def seconds(job: Job, rows: float, workers: int, storage: float) -> float:
    """Time of so many rows.

    Args:
        job: what a row costs.
        rows: how many.
        workers: processes (or devices) of the measured rate.
        storage: bytes a second of the storage that they share.

    Raises:
        DataError: a number that is not positive.
    """
    if not (rows > 0 and workers > 0 and storage > 0 and job.rate > 0):
        msg = f"rows, workers, storage and rate must be positive: {rows}, {workers}, {storage}"
        raise DataError(msg)
    return max(rows / (workers * job.rate), rows * job.file_bytes / storage)


def measured(repeats: int = _REPEATS, rows: int = _ROWS, batch: int = _BATCH) -> tuple[Job, Job]:
    """A Q-RUN layer 512 -> 512 and an exact counterpart of one feature, on one thread here.

    Args:
        repeats: calls of each, in turns; the median counts.
        rows: rows a call of the counterpart.
        batch: rows a call of the layer.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(0)
            layer, x = QRUN(_WIDTH, _WIDTH), torch.randn(batch, _WIDTH)
            series, angles = FastSeries.of(_series()), torch.randn(rows, 1)
            times = _times([lambda: layer(x), lambda: series(angles)], repeats)
    finally:
        torch.set_num_threads(threads)
    shape = cost.Shape(_WIDTH, _WIDTH, batch)
    path: cost.Path = (
        "knots" if layer.route is not None and layer.route.path == "knots" else "exact"
    )
    return (
        Job(
            f"Q-RUN layer {_WIDTH} -> {_WIDTH}",
            2 * _WIDTH * 4.0,
            cost.bytes_moved(shape, path) / batch,
            cost.operations(shape, path) / batch,
            batch / times[0],
        ),
        Job(
            f"exact counterpart, 1 feature, degree {DEGREE}",
            8.0,
            8.0,
            float(_ANGLE + _TERM * DEGREE),
            rows / times[1],
        ),
    )


def _series() -> FourierSeries:
    """Any real series with all frequencies up to the degree."""
    rng = np.random.default_rng(0)
    half = rng.normal(size=(DEGREE, 1)) + 1j * rng.normal(size=(DEGREE, 1))
    coefficients = np.concatenate([half[::-1].conj(), np.ones((1, 1)), half])
    return FourierSeries(np.arange(-DEGREE, DEGREE + 1.0)[:, None], coefficients)


def _times(calls: Sequence[Callable[[], Tensor]], repeats: int) -> list[float]:
    """Median seconds of each, taking turns after one call that is not counted."""
    taken: list[list[float]] = [[] for _ in calls]
    for turn in range(repeats + 1):
        for call, mine in zip(calls, taken, strict=True):
            begun = time.perf_counter()
            call()
            if turn:
                mine.append(time.perf_counter() - begun)
    return [statistics.median(mine) for mine in taken]


def table(jobs: Sequence[Job], workers: Sequence[int], storage: float) -> Iterator[str]:
    """The table in Markdown, line by line."""
    names = " | ".join(f"{count} worker{'s' * (count > 1)}" for count in workers)
    yield f"| job | rows | file bytes | memory bytes | operations | {names} |"
    yield "|---|--:|--:|--:|--:|" + "--:|" * len(workers)
    for job in jobs:
        for rows in (1e9, 1e12):
            totals = (job.file_bytes, job.memory_bytes, job.operations)
            cells = [f"{rows * each:.1e}" for each in totals]
            cells += [_duration(seconds(job, rows, count, storage)) for count in workers]
            yield f"| {job.name} | {rows:.0e} | {' | '.join(cells)} |"


def _duration(value: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if value >= 2 * size:
            return f"{value / size:.1f} {unit}"
    return f"{value:.1f} s"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m qrun_equiv.sweep.cost")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 64, 1024])
    parser.add_argument("--storage", type=float, default=1e10, help="bytes a second")
    options = parser.parse_args(arguments)
    jobs = measured()
    rates = [f"{job.name}: {job.rate:.3g} rows/s a worker" for job in jobs]
    lines = [*rates, "", *table(jobs, options.workers, options.storage)]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

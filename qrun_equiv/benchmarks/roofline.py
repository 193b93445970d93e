"""How far measured times are from what the device could do: its ceilings, measured in the same run.

What must move and be done at least is in :mod:`qrun_equiv.scale.cost`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from qrun_equiv.benchmarks.layers import EXACT, GELU, KNOTS, TABLE, WIDE
from qrun_equiv.benchmarks.tables import Cell, Column, Table
from qrun_equiv.benchmarks.timing import Progress, Times, interleaved, silent
from qrun_equiv.scale import cost

_COPIED = {"cpu": 1 << 26, "cuda": 1 << 28}  # float32 numbers, far beyond the caches
_SQUARE = {"cpu": 2048, "cuda": 8192}


@dataclass(frozen=True, slots=True)
class Ceilings:
    """What the device reached.

    Attributes:
        bandwidth: bytes a second, read and written by a copy.
        rates: operations a second of a matrix product, by kind of number; what was not possible
            is left out.
    """

    bandwidth: float
    rates: Mapping[str, float]

    def best(self, other: Ceilings) -> Ceilings:
        """The higher of two measurements: interruptions only ever lower them."""
        rates = {k: max(r, other.rates.get(k, 0.0)) for k, r in self.rates.items()}
        return Ceilings(max(self.bandwidth, other.bandwidth), rates)

    def table(self, device: torch.device) -> Table:
        """For people."""
        rows: list[dict[str, Cell]] = [
            {"name": "copy", "value": self.bandwidth / 1e9, "unit": "GB/s, read and written"}
        ]
        rows += [
            {"name": f"matrix product, {kind}", "value": rate / 1e9, "unit": "Gflop/s"}
            for kind, rate in self.rates.items()
        ]
        columns = Column("name", "what"), Column("value", "reached", ".4g"), Column("unit", "unit")
        return Table(f"Ceilings of this {device.type}, measured", columns, rows)


def ceilings(
    device: torch.device, *, repeats: int = 5, shrink: int = 1, progress: Progress = silent
) -> Ceilings:
    """Measure them.

    Args:
        device: CPU or CUDA.
        repeats: timed calls; the shortest counts.
        shrink: divides the sizes, for a quick look.
        progress: told what runs.
    """
    count, size = _COPIED[device.type] // shrink**2, _SQUARE[device.type] // shrink
    source = torch.ones(count, device=device)
    target = torch.empty_like(source)
    kinds = ["float32", "float64"] + ["tf32", "bfloat16"] * (device.type == "cuda")

    def product(kind: str) -> None:
        before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("high" if kind == "tf32" else "highest")
        try:
            torch.mm(squares[kind], squares[kind])
        finally:
            torch.set_float32_matmul_precision(before)

    dtypes = {"tf32": torch.float32}
    squares = {
        k: torch.ones((size, size), dtype=dtypes.get(k) or getattr(torch, k), device=device)
        for k in kinds
    }
    steps = {"copy": lambda: target.copy_(source)}
    steps |= {k: lambda k=k: product(k) for k in kinds}  # type: ignore[misc]
    times = interleaved(
        steps, device, repeats=repeats, progress=lambda text: progress(f"ceilings: {text}")
    )
    copied = times["copy"]
    if not isinstance(copied, Times):
        msg = f"can't measure how quickly {device} copies: {copied}"
        raise RuntimeError(msg)  # noqa: TRY004 (no caller's mistake)
    rates = {k: 2 * size**3 / t.best for k in kinds if isinstance(t := times[k], Times)}
    return Ceilings(8 * count / copied.best, rates)


def modelled(name: str) -> cost.Path | None:
    """What a layer of :func:`qrun_equiv.benchmarks.layers.layers` has to do at least."""
    if name in {KNOTS, WIDE, TABLE}:
        return "knots"
    if name.startswith(EXACT):
        return "exact"
    return "gelu" if name == GELU else None


COLUMNS = (
    Column("name", "layer"),
    Column("bytes", "MiB that\nmust move", ".1f"),
    Column("operations", "Gflop", ".3g"),
    Column("bound", "at least\nms", ".3g"),
    Column("measured", "measured\nms", ".3g"),
    Column("fraction", "of the\nroofline", ".0%"),
)


def roofline(layers: Table, width: int, batch: int, measured: Ceilings) -> Table:
    """The fraction of the roofline that each layer reached, from its shortest times."""
    shape = cost.Shape(width, width, batch)
    limits = {"bandwidth": measured.bandwidth, "rate": measured.rates["float32"]}
    rows: list[dict[str, Cell]] = []
    for row in layers.rows:
        name = str(row["name"])
        path = modelled(name)
        for key, what in (("train_best", "training step"), ("infer_best", "inference")):
            found = row.get(key)
            if path is None or not isinstance(found, float):
                continue
            training = key == "train_best"
            least = 1e3 * cost.seconds(shape, path, training=training, **limits)
            rows.append(
                {
                    "name": f"{name}, {what}",
                    "bytes": cost.bytes_moved(shape, path, training=training) / 2**20,
                    "operations": cost.operations(shape, path, training=training) / 1e9,
                    "bound": least,
                    "measured": found,
                    "fraction": least / found,
                }
            )
    notes = (
        "Ceilings are those of large copies and products; what stays in a cache can pass them.",
        "Shortest times. Q-RUN's matrix products are half as wide: two values an element.",
    )
    return Table(f"Roofline: {width} -> {width}, batch {batch}", COLUMNS, rows, notes)


_SUM_COLUMNS = (
    Column("name", "circuit"),
    Column("bytes", "bytes\na sample", "d"),
    Column("operations", "operations\na sample", "d"),
    Column("bound", "at most million\nsamples/s", ".4g"),
    Column("measured", "measured,\nbest", ".4g"),
    Column("fraction", "of the\nroofline", ".0%"),
)


def sum_operations(degree: int) -> int:
    """Operations a sample of a sum of one feature: phase, cosine and sine, powers, sum."""
    phase, cosine_and_sine = 8, 40
    return phase + cosine_and_sine + 6 * (degree - 1) + 4 * degree + 2


def sums_roofline(tables: Mapping[int, Table], measured: Ceilings) -> Table:
    """The same for exact counterparts of one feature: float32 in and out, float64 between.

    Args:
        tables: degree -> table of :func:`qrun_equiv.benchmarks.circuits.circuits`.
        measured: ceilings of one thread.
    """
    rows: list[dict[str, Cell]] = []
    for degree, table in tables.items():
        found = table.row("counterpart, float32").get("best")
        operations = sum_operations(degree)
        least = max(8 / measured.bandwidth, operations / measured.rates["float64"])
        row: dict[str, Cell] = {"name": table.title, "bytes": 8, "operations": operations}
        row["bound"] = 1e-6 / least
        if isinstance(found, float):
            row |= {"measured": found, "fraction": found * 1e6 * least}
        rows.append(row)
    notes = ("Against the float64 matrix product of one thread, which is fused products only.",)
    return Table("Roofline: exact counterparts, one thread", _SUM_COLUMNS, rows, notes)

"""How well the published readout approximates a circuit: error and leakage against its size.

``python -m qrun_equiv.study --output FOLDER`` writes ``study.csv`` and the figure ``study.svg`` and
``study.png``. Each row is one fit (:func:`qrun_equiv.approximation.approximate`) with a rigorous
bound of its error over a whole period, so for all features. Two families of circuits:

- ``observable``: L wires, each prepared by ``RY(l x)``, l = 1..L, and a random real observable on
  all of them, ``sum_t T_t prod_l (1, cos l x, sin l x)[t_l]`` with normal coefficients: the readout
  must learn a random multilinear form of exactly the features that it is given;
- ``entangled``: two or three wires, L layers of ``RX(x)`` on each wire, random rotations and a ring
  of CNOTs, Z of the first wire measured: degree L times the number of wires, less one (an encoding
  of the last layer is outside the light cone).

The readout gets L re-uploads with the scales 1..L. Errors are relative to the root mean square of
the circuit's output about its mean.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from qrun_equiv.angle import feature, parameter
from qrun_equiv.approximation import approximate
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.counterpart import fourier_series
from qrun_equiv.errors import DataError

KINDS = ("observable", "entangled-2", "entangled-3")
WIDTHS, REUPLOADS, SEEDS = (4, 8, 16, 32), (1, 2, 3, 4), (0, 1)
_STEPS, _RELATIVE, _BOXES = 100, 0.25, 40_000


@dataclass(frozen=True, slots=True)
class Row:
    """One fit.

    Attributes:
        kind: family of the circuit.
        reuploads: L, of the circuit and of the readout.
        width: hidden units in each of the readout's two hidden layers.
        seed: of circuit, parameters and initial weights.
        lower: relative error that is provably reached.
        upper: relative error that is provably never exceeded, for any x.
        leakage: share of the readout's energy outside the circuit's frequencies.
        weights: number of trained weights.
        boxes: effort of the bound.
        ended: why the bound ended.
        seconds: for fit and bound.
    """

    kind: str
    reuploads: int
    width: int
    seed: int
    lower: float
    upper: float
    leakage: float
    weights: int
    boxes: int
    ended: str
    seconds: float


def random_observable(rng: np.random.Generator, reuploads: int) -> Circuit:
    """A product state of ``reuploads`` wires with a random real observable on all of them."""
    gates = [Gate("RY", (w,), feature(0) * (w + 1)) for w in range(reuploads)]
    words = itertools.product("IZX", repeat=reuploads)
    terms = [(float(rng.standard_normal()), dict(enumerate(word))) for word in words]
    return Circuit(reuploads, tuple(gates), (Observable.of(terms),), 1, 0)


def entangled(wires: int, layers: int) -> Circuit:
    """Layers of RX(x) on every wire between rotations, entangled in a ring."""
    gates, used = [], 0
    for layer in range(layers + 1):
        for wire in range(wires):
            if layer:
                gates.append(Gate("RX", (wire,), feature(0)))
            for name in ("RZ", "RY"):
                gates.append(Gate(name, (wire,), parameter(used)))
                used += 1
        gates += [Gate("CNOT", (w, (w + 1) % wires)) for w in range(wires)]
    return Circuit(wires, tuple(gates), (Observable.of([(1.0, {0: "Z"})]),), 1, used)


def study(
    *,
    kinds: Sequence[str] = KINDS,
    widths: Sequence[int] = WIDTHS,
    reuploads: Sequence[int] = REUPLOADS,
    seeds: Sequence[int] = SEEDS,
) -> Iterator[Row]:
    """Rows one by one, as they are computed; see the module for what they hold."""
    for kind, layers, seed in itertools.product(kinds, reuploads, seeds):
        rng = np.random.default_rng([KINDS.index(kind), layers, seed])
        if kind == "observable":
            circuit = random_observable(rng, layers)
        else:
            circuit = entangled(int(kind[-1]), layers)
        theta = rng.uniform(-np.pi, np.pi, circuit.n_parameters)
        for width in widths:
            yield _row(kind, circuit, theta, layers, width, seed)


def _row(
    kind: str, circuit: Circuit, theta: np.ndarray, reuploads: int, width: int, seed: int
) -> Row:
    begun = time.perf_counter()
    series = fourier_series(circuit, theta)
    waves = np.any(series.frequencies != 0, axis=1)
    size = float(np.sqrt(np.sum(np.abs(series.coefficients[waves]) ** 2)))
    model = approximate(
        circuit, parameters=theta, interval="period", hidden=width, reuploads=reuploads,
        steps=_STEPS, seed=seed, relative=_RELATIVE, most_boxes=_BOXES,
    )  # fmt: skip
    assert model.everywhere
    assert model.leakage is not None
    return Row(
        kind,
        reuploads,
        width,
        seed,
        model.bound.lower / size,
        model.bound.upper / size,
        model.leakage,
        sum(p.numel() for p in model.parameters()),
        model.bound.boxes,
        model.bound.ended,
        round(time.perf_counter() - begun, 2),
    )


def write_csv(rows: Sequence[Row], path: Path) -> None:
    """Write all rows with a header."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, [f.name for f in fields(Row)])
        writer.writeheader()
        writer.writerows(
            {k: f"{v:.6g}" if isinstance(v, float) else v for k, v in asdict(r).items()}
            for r in rows
        )


_TITLES = {
    "observable": "random observable,\nproduct state of L wires",
    "entangled-2": "entangled, 2 wires,\nL layers",
    "entangled-3": "entangled, 3 wires,\nL layers",
}


def read_csv(path: str | Path) -> list[Row]:
    """Rows of a study that :func:`write_csv` wrote.

    Raises:
        DataError: the file is missing, or its columns are not those of a study.
    """
    kinds = {"int": int, "float": float, "str": str}
    try:
        with Path(path).open(newline="", encoding="utf-8") as stream:
            found = [
                Row(**{f.name: kinds[str(f.type)](row[f.name]) for f in fields(Row)})
                for row in csv.DictReader(stream)
            ]
    except OSError as error:
        msg = f"can't read the study {path}: {error.strerror or error}"
        raise DataError(msg) from error
    except (KeyError, TypeError, ValueError) as error:
        msg = f"{path} is no study: write one with python -m qrun_equiv.study ({error!r})"
        raise DataError(msg) from error
    return found


def draw(rows: Sequence[Row]) -> Any:
    """Figure of errors (above) and leakage (below) against width, one column a family."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    kinds = [k for k in KINDS if any(r.kind == k for r in rows)]
    depths = sorted({r.reuploads for r in rows})
    widths = sorted({r.width for r in rows})
    figure = Figure(figsize=(3.4 * len(kinds) + 0.9, 6.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, len(kinds), sharex=True, sharey="row", squeeze=False)
    colours = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9"]  # Okabe and Ito
    for column, kind in enumerate(kinds):
        for k, depth in enumerate(depths):
            style = {"color": colours[k % 5], "marker": "osD^v"[k % 5], "markersize": 5}
            for line, what in enumerate(("upper", "leakage")):
                cells = [
                    [getattr(r, what) for r in rows
                     if (r.kind, r.reuploads, r.width) == (kind, depth, width)]
                    for width in widths
                ]  # fmt: skip
                middle = [float(np.exp(np.mean(np.log(np.maximum(c, 1e-300))))) for c in cells]
                axis = axes[line, column]
                axis.plot(widths, middle, label=f"L = {depth}", **style)
                axis.fill_between(
                    widths, [min(c) for c in cells], [max(c) for c in cells],
                    color=style["color"], alpha=0.12, linewidth=0,
                )  # fmt: skip
        axes[0, column].set_title(_TITLES[kind], fontsize=10)
        axes[1, column].set_xlabel("width of the MLP readout")
    for axis in axes.flat:
        axis.set_xscale("log", base=2)
        axis.set_yscale("log")
        axis.set_xticks(widths, [str(w) for w in widths])
        axis.grid(alpha=0.3, linewidth=0.6)
        axis.minorticks_off()
    axes[0, 0].set_ylabel("bound of the relative error,\nfor all x")
    axes[1, 0].set_ylabel("leaked share of the energy")
    axes[0, -1].legend(title="re-uploads", fontsize=9, title_fontsize=9, loc="upper right", ncols=2)
    figure.supxlabel(
        "lines: geometric means over the seeds; shaded: from the lowest to the highest", fontsize=9
    )
    return figure


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the study and write its files."""
    parser = argparse.ArgumentParser(prog="python -m qrun_equiv.study", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("qrun-equiv-study"), metavar="FOLDER")
    parser.add_argument("--quick", action="store_true", help="small sizes only, for a try")
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    small: dict[str, Any] = {"widths": (2, 4), "reuploads": (1, 2), "seeds": (0,)}
    sizes = small if options.quick else {}
    count = len(KINDS) * (4 if options.quick else len(WIDTHS) * len(REUPLOADS) * len(SEEDS))
    rows = []
    for row in study(**sizes):
        rows.append(row)
        sys.stderr.write(
            f"{len(rows)}/{count}: {row.kind}, {row.reuploads} re-upload(s), width {row.width}: "
            f"error <= {row.upper:.2g}, leakage {row.leakage:.2g}, {row.seconds:.1f} s\n"
        )
    write_csv(rows, options.output / "study.csv")
    figure = draw(rows)
    for name in ("study.svg", "study.png"):
        metadata = {"Date": None} if name.endswith("svg") else None
        figure.savefig(options.output / name, dpi=130, metadata=metadata)
    sys.stderr.write(f"written to {options.output}\n")


if __name__ == "__main__":
    main()

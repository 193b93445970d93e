"""The picture at the top of the README: a circuit, its network, and both functions over each other.

``python -m qrun_equiv.reporting.hero OUT.png`` evaluates the pair's native circuits, its
counterpart and the network derived from the circuit, and refuses to draw sides that differ.
"""

from __future__ import annotations

import argparse
import io
import itertools
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from qrun_equiv import tolerances
from qrun_equiv.counterpart import MatrixProductCounterpart
from qrun_equiv.errors import QrunEquivError, ReportError
from qrun_equiv.files import write_atomically
from qrun_equiv.pair import Pair, catalogue_folder, collect
from qrun_equiv.reporting.network import draw_circuit, draw_network, network_ratio
from qrun_equiv.reporting.spectra import Spectrum, spectrum
from qrun_equiv.reporting.subject import Subject, subject
from qrun_equiv.reporting.svg import COLOURS, SETTINGS

#: The pair that is drawn: its counterpart is the network of the drawing.
PAIR = "matrix-product-readout"
#: Inches, dots an inch, points of the curves, and periods of the highest frequency that they show.
SIZE, DPI, POINTS, PERIODS = (16.0, 8.0), 100, 600, 4.0
#: Parameters are drawn from (-low, low), radians.
PARAMETER_RANGE = 2.0
#: Of the parameters: here the frequencies are far enough from each other to be seen.
SEED = 3

_STYLES: tuple[dict[str, Any], ...] = (
    {"color": COLOURS["blue"], "linewidth": 8.0, "alpha": 0.35},
    {"color": COLOURS["vermilion"], "linewidth": 2.6, "dashes": (4, 3)},
)
_DOTS: dict[str, Any] = {"color": COLOURS["ink"], "linewidth": 0, "marker": "o", "markersize": 4.5}
_SETTINGS: Any = {
    **SETTINGS,
    "figure.facecolor": "white",
    "font.size": 14.0,
    "legend.fontsize": 14.0,
}


def hero(pair: Pair, *, seed: int = SEED) -> Figure:
    """The picture of one pair.

    Args:
        pair: on one wire and in one feature, claimed equal.
        seed: of the parameters.

    Raises:
        ReportError: the sides differ, or the circuit does not fit into the picture.
    """
    verdict = pair.verify(seed=seed)
    what = subject(pair, verdict)
    neutral = what.neutral
    if not verdict.equivalent or neutral is None or what.sizes.features != 1:
        msg = (
            f"{pair.name!r} is {verdict.status.value}; the picture needs equal sides of one feature"
        )
        raise ReportError(msg)
    rng = np.random.default_rng(seed)
    theta = rng.uniform(-PARAMETER_RANGE, PARAMETER_RANGE, what.sizes.parameters)
    what = replace(what, theta=theta)
    network = MatrixProductCounterpart(neutral)
    found = spectrum(what, verdict)
    grid, values = _curves(what, network, found)
    with mpl.rc_context(_SETTINGS):
        layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1)
        figure = Figure(figsize=SIZE, dpi=DPI, layout=layout)
        FigureCanvasAgg(figure)
        panels = figure.subplots(2, 2, height_ratios=(1.05, 1), width_ratios=(1, 1.0))
        draw_circuit(panels[0, 0], neutral, what.output, ratio=network_ratio(neutral))
        draw_network(panels[0, 1], network, theta, what.output)
        _title(panels[0, 0], f"Quantum circuit: {len(neutral.encoding_gates())} uploads of $x_0$")
        _title(panels[0, 1], "Classical network: matrix-product readout")
        _draw_curves(panels[1, 0], grid, values)
        _draw_spectra(panels[1, 1], found)
        handles, labels = panels[1, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(handles))
    return figure


def _curves(
    what: Subject, network: MatrixProductCounterpart, found: Spectrum
) -> tuple[np.ndarray, Mapping[str, np.ndarray]]:
    """Outputs of all sides over some periods; the derived network has to give the same."""
    top = float(np.max(found.frequencies, initial=1.0))
    grid = np.linspace(-1, 1, POINTS) * PERIODS * np.pi / top
    x = grid[:, None]
    values = {s.name: s.values(x, what.theta)[:, what.output] for s in what.sources}
    drawn = network(torch.tensor(x), torch.tensor(what.theta)).detach().numpy()[:, what.output]
    difference = _largest({**values, "network": drawn})
    if not difference <= tolerances.EQUAL:
        msg = f"the sides differ by {difference:.1e}: there is no such picture"
        raise ReportError(msg)
    return grid, values


def _largest(values: Mapping[str, Any]) -> float:
    pairs = itertools.combinations(values.values(), 2)
    return max(float(np.max(np.abs(a - b))) for a, b in pairs)


def _title(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", fontsize=18, fontweight="bold", pad=10)


def _draw_curves(axes: Axes, grid: np.ndarray, values: Mapping[str, np.ndarray]) -> None:
    *circuits, counterpart = values
    for index, name in enumerate(circuits):
        axes.plot(grid, values[name], label=_label(name), **_STYLES[index % len(_STYLES)])
    axes.plot(grid, values[counterpart], label=_label(counterpart), markevery=12, **_DOTS)
    axes.set_xlabel("feature $x_0$ (radians)")
    axes.set_ylabel("output")
    axes.margins(x=0.01)
    _title(axes, "Same outputs")
    _note(axes, f"largest difference {_largest(values):.0e}")


def _draw_spectra(axes: Axes, found: Spectrum) -> None:
    """Magnitudes of all sides at all accessible frequencies, negative ones too."""
    *circuits, counterpart = found.coefficients
    positive = found.frequencies > 0
    at = np.concatenate([-found.frequencies[positive][::-1], found.frequencies])
    for index, name in enumerate((*circuits, counterpart)):
        size = np.abs(found.coefficients[name])
        both = np.concatenate([size[positive][::-1], size])
        if name == counterpart:
            axes.plot(at, both, "o", color=COLOURS["ink"], markersize=5, label=_label(name))
            continue
        style = _STYLES[index % len(_STYLES)]
        axes.vlines(
            at, 0, both, color=style["color"], linewidth=style["linewidth"] * 0.8,
            alpha=style.get("alpha", 1), linestyles="--" if "dashes" in style else "-",
        )  # fmt: skip
    axes.axhline(0, color=COLOURS["muted"], linewidth=0.8)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("frequency ω (radians per unit of $x_0$)")
    axes.set_ylabel("|c(ω)|")
    _title(axes, "Same Fourier spectrum")
    _note(axes, f"largest difference {_largest(found.coefficients):.0e}")


def _note(axes: Axes, text: str) -> None:
    axes.annotate(
        text, (1, 1), (0, 6), xycoords="axes fraction", textcoords="offset points", ha="right",
        va="bottom", fontsize=13, color=COLOURS["muted"],
    )  # fmt: skip


def _label(name: str) -> str:
    names = {"pennylane": "PennyLane", "qiskit": "Qiskit", "counterpart": "PyTorch network"}
    return names.get(name, name)


def save(pair: Pair, path: Path, *, seed: int = SEED) -> Path:
    """Write the picture as PNG, atomically.

    Raises:
        ReportError: as :func:`hero`, or the file can't be written.
    """
    buffer = io.BytesIO()
    with mpl.rc_context(_SETTINGS):
        hero(pair, seed=seed).savefig(buffer, format="png", metadata={"Software": None})
    try:
        return write_atomically(path, buffer.getvalue())
    except OSError as error:
        msg = f"can't write the picture {path} ({error.strerror}); name a place you may write"
        raise ReportError(msg) from error


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m qrun_equiv.reporting.hero", description=__doc__
    )
    parser.add_argument("out", type=Path, help="PNG file")
    parser.add_argument(
        "--pair", default=PAIR, help="name of a shipped pair (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=SEED, help="of the parameters")
    options = parser.parse_args(arguments)
    try:
        pairs = {p.name: p for p in collect([catalogue_folder()])}
        if options.pair not in pairs:
            parser.error(f"no shipped pair is named {options.pair!r}; see: qrun-equiv list")
        save(pairs[options.pair], options.out, seed=options.seed)
    except QrunEquivError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

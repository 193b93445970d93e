"""The heat map of a spectrum in two features."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator

from qrun_equiv.reporting.figures import WIDTH, place
from qrun_equiv.reporting.spectra import Plane
from qrun_equiv.reporting.svg import COLOURS, canvas


def plane_figure(plane: Plane) -> Figure:
    """``|c|`` over the frequencies of two features, a panel for each source, colours in decades."""
    shown = list(plane.coefficients)
    columns = len(shown) if len(shown) <= 3 else 2
    rows = -(-len(shown) // columns)
    figure = canvas(WIDTH, 0.8 + (2.1 if columns < 3 else 1.7) * rows)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    panels = list(grid.flat)[: len(shown)]
    place(figure, top=0.3, bottom=0.5)
    figure.subplots_adjust(right=0.82, wspace=0.1, hspace=0.25)
    low = np.log10(plane.tolerance)
    top = max(float(np.log10(np.max(np.abs(plane.coefficients[n])))) for n in shown)
    x, y = plane.frequencies.T
    for axes, name in zip(panels, shown, strict=True):
        size = np.log10(np.maximum(np.abs(plane.coefficients[name]), 1e-300))
        seen = size > low
        axes.scatter(
            x[~seen], y[~seen], marker="s", s=9, facecolors="none", edgecolors=COLOURS["rule"],
            linewidths=0.8,
        )  # fmt: skip
        points = axes.scatter(
            x[seen], y[seen], c=size[seen], marker="s", s=_side(x, y, columns) ** 2, cmap="viridis",
            vmin=low, vmax=max(top, low + 1), linewidths=0, rasterized=True,
        )  # fmt: skip
        axes.set_title(name, fontsize=9.6)
        axes.margins(0.2)
        axes.grid(visible=False)
    for axes in list(grid.flat)[len(shown) :]:
        axes.axis("off")
    unit = "(rad per unit)"
    figure.supxlabel(f"ω of x{plane.features[0]} {unit}", fontsize=9.6, x=0.48, y=0.02)
    figure.supylabel(f"ω of x{plane.features[1]} {unit}", fontsize=9.6, x=0.01)
    bar = figure.colorbar(points, cax=figure.add_axes((0.85, 0.2, 0.025, 0.65)))
    bar.ax.set_title("|c|", fontsize=9.6)
    bar.ax.grid(visible=False)
    bar.locator = MultipleLocator(max(1, round((max(top, low + 1) - low) / 4)))
    bar.formatter = FuncFormatter(lambda value, _: f"1e{value:+03.0f}")
    bar.update_ticks()
    bar.outline.set_visible(False)
    return figure


def _side(x: Any, y: Any, columns: int) -> float:
    """Side of a cell in points: a lattice is filled, a cloud stays apart."""
    count = max(len(np.unique(np.round(x, 6))), len(np.unique(np.round(y, 6))))
    return float(np.clip(220 / columns / max(count, 1), 3.5, 24))

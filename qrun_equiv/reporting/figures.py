"""The figures of a pair: curves with their difference, and spectra with theirs."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MultipleLocator, NullLocator

from qrun_equiv.reporting.curves import Line
from qrun_equiv.reporting.spectra import Spectrum
from qrun_equiv.reporting.svg import COLOURS, canvas

#: Differences below this are drawn here: it is below the last bit of a double near 1.
FLOOR = 1e-17
WIDTH, HEIGHT = 5.4, 4.1

#: How the sources are drawn over each other, in order: each is seen through the next.
_STYLES: tuple[dict[str, Any], ...] = (
    {"color": COLOURS["blue"], "linewidth": 5.0, "alpha": 0.35},
    {"color": COLOURS["vermilion"], "linewidth": 1.8, "dashes": (4, 3)},
    {"color": COLOURS["purple"], "linewidth": 1.2, "dashes": (1, 2)},
    {"color": COLOURS["green"], "linewidth": 0.7, "alpha": 0.6},
)
_DOTS: dict[str, Any] = {
    "color": COLOURS["ink"],
    "linewidth": 0.5,
    "marker": "o",
    "markersize": 2.6,
}


def curves_figure(line: Line) -> Figure:
    """All sources over each other; below it, their absolute differences and the tolerance."""
    figure, (above, below) = _panels()
    names = list(line.values)
    every = max(1, len(line.grid) // 50)
    for index, name in enumerate(names):
        last = index == len(names) - 1
        style = {**_DOTS, "markevery": every} if last else _STYLES[index % len(_STYLES)]
        above.plot(line.grid, line.values[name], label=name, **style)
    if len(line.data):
        above.plot(
            line.data, np.zeros(len(line.data)), "|", color=COLOURS["muted"], markersize=6,
            transform=above.get_xaxis_transform(), clip_on=False, label="data rows",
        )  # fmt: skip
    for axes in (above, below):
        if line.mark is not None:
            label = "witness" if axes is above else None
            axes.axvline(line.mark, color=COLOURS["ink"], linewidth=0.9, linestyle=":", label=label)
    above.set_ylabel(line.quantity)
    _differences(below, line.grid, line.values, line.tolerance, "-")
    below.set_xlabel(f"feature x{line.feature} (radians)")
    _radians(below, line.grid)
    _legend(above)
    return figure


def spectrum_figure(spectrum: Spectrum) -> Figure:
    """Magnitudes, circuits up and the counterpart down; below it, the coefficients' differences."""
    figure, (above, below) = _panels()
    draw_stems(above, spectrum)
    _differences(below, spectrum.frequencies, spectrum.coefficients, spectrum.tolerance, "o")
    below.set_xlabel(f"frequency ω (radians per unit of x{spectrum.feature})")
    _legend(above)
    return figure


def draw_stems(axes: Axes, spectrum: Spectrum) -> None:
    """Magnitudes above the tolerance as mirrored stems; a tick at every accessible frequency."""
    sizes = {name: np.abs(c) for name, c in spectrum.coefficients.items()}
    *circuits, counterpart = sizes
    axes.axhline(0, color=COLOURS["muted"], linewidth=0.8)
    axes.plot(
        spectrum.frequencies, np.zeros(len(spectrum.frequencies)), "|", color=COLOURS["muted"],
        markersize=5,
    )  # fmt: skip
    for index, name in enumerate(circuits):
        colour = _STYLES[index % len(_STYLES)]["color"]
        seen = sizes[name] > spectrum.tolerance
        at, size = spectrum.frequencies[seen], sizes[name][seen]
        axes.vlines(at, 0, size, color=colour, linewidth=0.9 if index else 2.6, alpha=0.6)
        axes.plot(
            at, size, "o", color=colour, label=name, markersize=3.5 if index else 6.5,
            markerfacecolor=colour if index else "none",
        )  # fmt: skip
    seen = sizes[counterpart] > spectrum.tolerance
    at, size = spectrum.frequencies[seen], sizes[counterpart][seen]
    axes.vlines(at, -size, 0, color=COLOURS["ink"], linewidth=1.2)
    axes.plot(at, -size, "o", color=COLOURS["ink"], markersize=4, label=counterpart)
    axes.margins(y=0.12)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(value):g}"))
    axes.set_ylabel("|c(ω)|, mirrored")


def _panels() -> tuple[Figure, tuple[Axes, Axes]]:
    figure = canvas(WIDTH, HEIGHT)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    return figure, (above, below)


def _legend(axes: Axes) -> None:
    """Above the axes, so that it covers no data."""
    handles, _ = axes.get_legend_handles_labels()
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, ncols=min(4, len(handles)),
        columnspacing=1.4, handlelength=2.4,
    )  # fmt: skip


def _differences(
    axes: Axes, grid: Any, values: Mapping[str, Any], tolerance: float, style: str
) -> None:
    """Absolute differences of every two sources on a log axis, with the tolerance."""
    top = tolerance
    pairs = list(itertools.combinations(values, 2))
    colours = ("blue", "vermilion", "purple", "green", "muted", "ink")
    for index, (left, right) in enumerate(pairs):
        size = np.maximum(np.abs(values[left] - values[right]), FLOOR)
        top = max(top, float(np.max(size)))
        axes.plot(
            grid, size, style, color=COLOURS[colours[index % len(colours)]], linewidth=0.8,
            markersize=3, label=f"{left} − {right}",
        )  # fmt: skip
    axes.axhline(tolerance, color=COLOURS["ink"], linewidth=1, linestyle="--")
    axes.annotate(
        f"tolerance {tolerance:.0e}", (1, tolerance), (0, 2), ha="right", va="bottom", fontsize=8,
        xycoords=("axes fraction", "data"), textcoords="offset points",
        bbox={"facecolor": COLOURS["paper"], "edgecolor": "none", "alpha": 0.8, "pad": 0.5},
        zorder=1,
    )  # fmt: skip
    axes.set_yscale("log")
    axes.set_ylim(FLOOR / 3, max(top, 1e-7) * 30)
    axes.yaxis.set_major_locator(LogLocator(numticks=6))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0e}"))
    axes.set_ylabel("difference")
    if len(pairs) > 1:
        handles, labels = axes.get_legend_handles_labels()
        figure = axes.get_figure()
        assert isinstance(figure, Figure)
        figure.legend(handles, labels, loc="outside lower right", ncols=2, handlelength=1.5)


def has_zeros(values: Mapping[str, Any]) -> bool:
    """Whether some difference lies below :data:`FLOOR`, and is drawn there."""
    pairs = itertools.combinations(values.values(), 2)
    return any(bool(np.any(np.abs(a - b) < FLOOR)) for a, b in pairs)


def _radians(axes: Axes, grid: Any) -> None:
    """Ticks at multiples of pi where the range is a few of them."""
    axes.set_xlim(grid[0], grid[-1])
    span = (grid[-1] - grid[0]) / np.pi
    if 1.5 <= span <= 10:
        step = 1.0 if span > 3 else 0.5
        axes.xaxis.set_major_locator(MultipleLocator(step * np.pi))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _multiple(value / np.pi)))


def _multiple(value: float) -> str:
    rounded = round(2 * value) / 2
    if rounded == 0:
        return "0"
    size = "" if abs(rounded) == 1 else f"{abs(rounded):g}"
    return f"{'−' if rounded < 0 else ''}{size}π"

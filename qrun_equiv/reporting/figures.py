"""The figures of a pair: curves and spectra with their differences."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, MultipleLocator, NullLocator

from qrun_equiv.reporting.curves import Line
from qrun_equiv.reporting.spectra import Spectrum
from qrun_equiv.reporting.svg import COLOURS, DENSE, canvas

#: Differences below this are drawn here: it is below the last bit of a double near 1.
FLOOR = 1e-17
WIDTH, HEIGHT = 5.4, 4.1
#: Decades below the tolerance at which a spectrum's axis ends.
_BELOW = 2
#: Of the largest value: a curve that varies less is drawn as a constant.
_FLAT = 1e-9
#: Left margin in inches.
_LEFT = 0.78

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
    _overlay(above, line)
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
    _legends(figure, above, below)
    return figure


def outputs_figure(lines: Mapping[int, Line], left_out: int) -> Figure:
    """Several outputs in small panels over the same feature, each named; no differences."""
    rows = -(-len(lines) // 2)
    figure = canvas(WIDTH, 1.2 * rows + 0.8)
    panels = list(figure.subplots(rows, 2, sharex=True, squeeze=False).flat)
    for axes, (output, line) in zip(panels, lines.items(), strict=False):
        _overlay(axes, line)
        axes.set_ylabel(f"output {output}")
        _radians(axes, line.grid)
    for axes in panels[len(lines) :]:
        axes.axis("off")
        panels[len(lines) - 2].tick_params(labelbottom=True)
    more = f"; {left_out} more outputs" if left_out else ""
    feature = next(iter(lines.values())).feature
    figure.supxlabel(f"feature x{feature} (radians){more}", fontsize=9.6, y=0.02)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper left", ncols=4, borderaxespad=0.1)
    place(figure, top=0.32, bottom=0.5)
    figure.subplots_adjust(wspace=0.45, hspace=0.2)
    return figure


def _overlay(axes: Axes, line: Line) -> None:
    """Sources over each other, the last one as dots; many points become pixels."""
    every = max(1, len(line.grid) // 50)
    for index, (name, values) in enumerate(line.values.items()):
        last = index == len(line.values) - 1
        style = {**_DOTS, "markevery": every} if last else _STYLES[index % len(_STYLES)]
        axes.plot(line.grid, values, label=name, rasterized=len(line.grid) > DENSE, **style)
    _level(axes, line)


def _level(axes: Axes, line: Line) -> None:
    """The rounding of a constant must not fill the axis: its range is that of the constant."""
    every = np.concatenate([np.ravel(v) for v in line.values.values()])
    low, high = float(np.min(every)), float(np.max(every))
    largest = max(abs(low), abs(high))
    least = max(line.tolerance or 100 * FLOOR, _FLAT * largest)
    if high - low <= least:
        reach = 1.0 if largest <= least else largest / 2
        axes.set_ylim((low + high) / 2 - reach, (low + high) / 2 + reach)


# --- spectra -------------------------------------------------------------------------------------


def spectrum_figure(spectrum: Spectrum) -> Figure:
    """Magnitudes, circuits up and the counterpart down; below it, the coefficients' differences.

    A circuit alone has no differences, and no second panel.
    """
    if len(spectrum.coefficients) > 1:
        figure, (above, below) = _panels(HEIGHT + 0.5, (2.5, 1))
        _differences(below, spectrum.frequencies, spectrum.coefficients, spectrum.claimed, "o")
    else:
        figure = canvas(WIDTH, HEIGHT - 1)
        above = below = figure.subplots()
    draw_stems(above, spectrum)
    below.set_xlabel(f"frequency ω (radians per unit of x{spectrum.feature})")
    w = spectrum.frequencies
    if np.allclose(w, np.round(w), rtol=0, atol=1e-9):
        below.xaxis.set_major_locator(MaxNLocator(nbins=9, integer=True, steps=[1, 2, 5, 10]))
    _legends(figure, above, below)
    return figure


def draw_stems(axes: Axes, spectrum: Spectrum) -> None:
    """Magnitudes above the tolerance as mirrored stems on a log axis, and what they are.

    Marks on the zero line: a tick for each effective frequency (accessible, where that is not
    known), a cross where the coefficient of an accessible one is zero for all parameters, a ring
    where only one side has it, a diamond where the circuit can't have it.
    """
    floor = 10.0 ** (np.floor(np.log10(spectrum.tolerance)) - _BELOW)
    sizes = {name: np.abs(c) for name, c in spectrum.coefficients.items()}
    *circuits, last = sizes
    ups, down = (circuits, last) if circuits else ([last], None)
    w = spectrum.frequencies
    axes.axhline(0, color=COLOURS["ink"], linewidth=0.8)
    for index, name in enumerate(ups):
        at, height = _heights(w, sizes[name], spectrum.tolerance, floor)
        colour = _STYLES[index % len(_STYLES)]["color"]
        axes.vlines(at, 0, height, color=colour, linewidth=0.9 if index else 2.6, alpha=0.6)
        axes.plot(
            at, height, "o", color=colour, label=name, markersize=3.5 if index else 6.5,
            markerfacecolor=colour if index else "none",
        )  # fmt: skip
    if down is not None:
        at, height = _heights(w, sizes[down], spectrum.tolerance, floor)
        axes.vlines(at, -height, 0, color=COLOURS["ink"], linewidth=1.2)
        axes.plot(at, -height, "o", color=COLOURS["ink"], markersize=4, label=down)
    _mark(axes, spectrum, sizes)
    top = max(float(np.max(s, initial=0.0)) for s in sizes.values())
    _mirrored_decades(axes, floor, max(top, 1e3 * floor), spectrum.tolerance, both=down is not None)
    axes.set_ylabel("|c(ω)|, mirrored" if down is not None else "|c(ω)|")


def _heights(w: Any, size: Any, tolerance: float, floor: float) -> tuple[Any, Any]:
    """Frequencies with a coefficient above the tolerance, and its decades above the floor."""
    seen = size > tolerance
    return w[seen], np.log10(size[seen] / floor)


def _mark(axes: Axes, spectrum: Spectrum, sizes: Mapping[str, Any]) -> None:
    present = np.array([size > spectrum.tolerance for size in sizes.values()])
    known, used = spectrum.accessible, spectrum.effective
    kinds = {
        "accessible" if used is None else "effective": (known if used is None else used, "|", 9.0),
        "missing on one side": (np.any(present, axis=0) & ~np.all(present, axis=0), "o", 9.0),
        "not accessible": (~known & np.any(present, axis=0), "D", 4.5),
    }
    if used is not None:
        kinds["accessible only"] = (known & ~used, "x", 5.0)
    for label, (flags, marker, size) in kinds.items():
        if np.any(flags):
            colour = COLOURS["muted" if marker in "x|" else "vermilion"]
            axes.plot(
                spectrum.frequencies[flags], np.zeros(int(flags.sum())), marker, color=colour,
                markersize=size, markerfacecolor="none", markeredgewidth=1.3, label=label,
                linestyle="none", zorder=5, clip_on=False,
            )  # fmt: skip


def _mirrored_decades(
    axes: Axes, floor: float, top: float, tolerance: float, *, both: bool
) -> None:
    """A log axis that grows to both sides from the floor, and a band below the tolerance."""
    decades = np.log10(top / floor)
    band = np.log10(tolerance / floor)
    axes.axhspan(-band if both else 0, band, color=COLOURS["rule"], alpha=0.45, linewidth=0)
    axes.set_ylim(-decades - 0.9 if both else 0, decades + 0.9)
    step = max(1, int(decades) // 4)
    first = round(np.log10(floor))
    ticks = [e - first for e in range(round(np.log10(top)), first, -step) if e - first > band]
    every = sorted([*ticks, *(-t for t in ticks)] if both else ticks)
    axes.set_yticks(every, [f"1e{abs(t) + first:+03d}" for t in every])


# --- parts ---------------------------------------------------------------------------------------


def _panels(
    height: float = HEIGHT, ratios: tuple[float, float] = (2, 1)
) -> tuple[Figure, tuple[Axes, Axes]]:
    figure = canvas(WIDTH, height)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=ratios)
    return figure, (above, below)


def place(figure: Figure, *, top: float, bottom: float, left: float = _LEFT) -> None:
    """Margins in inches."""
    width, height = figure.get_size_inches()
    figure.subplots_adjust(
        left=left / width, right=1 - 0.17 / width, top=1 - top / height, bottom=bottom / height,
        hspace=0.12,
    )  # fmt: skip


def _legends(figure: Figure, above: Axes, below: Axes) -> None:
    """Sources above the axes, differences below them, so that they cover no data."""
    handles, labels = above.get_legend_handles_labels()
    top = _widest(
        figure, len(handles), _LEFT,
        lambda columns: above.legend(
            handles, labels, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2,
            ncols=columns, columnspacing=1.2, handlelength=1.8,
        ),
    )  # fmt: skip
    pairs, names = ([], []) if below is above else below.get_legend_handles_labels()
    rows = 0
    if len(pairs) > 1:
        rows = _widest(
            figure, len(pairs), 0.0,
            lambda columns: figure.legend(
                pairs, names, loc="lower left", ncols=columns, handlelength=1.2, fontsize=8,
                columnspacing=1.2, borderaxespad=0.1,
            ),
        )  # fmt: skip
    place(figure, top=0.12 + 0.19 * top, bottom=0.5 + 0.19 * rows)


def _widest(figure: Figure, count: int, left: float, make: Callable[[int], Legend]) -> int:
    """Make the legend of most columns that ends inside the figure; its number of rows."""
    width, height = figure.get_size_inches()
    area = (width * figure.dpi, height * figure.dpi)
    renderer = RendererAgg(*area, figure.dpi)  # type: ignore[no-untyped-call]
    for columns in range(min(count, 4), 0, -1):
        legend = make(columns)
        if (
            columns == 1
            or legend.get_window_extent(renderer).width <= (width - left - 0.08) * figure.dpi
        ):
            return -(-count // columns)
        legend.remove()
    return 0


def _differences(
    axes: Axes, grid: Any, values: Mapping[str, Any], tolerance: float | None, style: str
) -> None:
    """Absolute differences of every two sources on a log axis, with the tolerance."""
    top = tolerance or 0.0
    pairs = list(itertools.combinations(values, 2))
    colours = ("blue", "vermilion", "purple", "green", "muted", "ink")
    for index, (left, right) in enumerate(pairs):
        size = np.maximum(np.abs(values[left] - values[right]), FLOOR)
        top = max(top, float(np.max(size)))
        axes.plot(
            grid, size, style, color=COLOURS[colours[index % len(colours)]], linewidth=0.8,
            markersize=3, label=f"{left} − {right}", rasterized=len(grid) > DENSE,
        )  # fmt: skip
    if tolerance is not None:
        axes.axhline(tolerance, color=COLOURS["ink"], linewidth=1, linestyle="--")
        every = np.max([np.abs(values[a] - values[b]) for a, b in pairs], axis=0, initial=0.0)
        side, upright = _free(grid, np.broadcast_to(every, np.shape(grid)), tolerance)
        axes.annotate(
            f"tolerance {tolerance:.0e}", (side, tolerance), (0, 2 if upright else -3),
            ha="right" if side else "left", va="bottom" if upright else "top", fontsize=8,
            xycoords=("axes fraction", "data"), textcoords="offset points",
            bbox={"facecolor": COLOURS["paper"], "edgecolor": "none", "alpha": 0.8, "pad": 0.5},
            zorder=4,
        )  # fmt: skip
    axes.set_yscale("log")
    axes.set_ylim(FLOOR / 3, max(top, 1e-7) * 30)
    axes.yaxis.set_major_locator(LogLocator(numticks=6))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0e}"))
    axes.set_ylabel("difference")


def _free(grid: Any, size: Any, tolerance: float) -> tuple[int, bool]:
    """Where fewest points lie under the tolerance's label: at the right (1) or left, above it?"""
    span = grid[-1] - grid[0] if len(grid) else 0.0
    taken = {}
    for upright, side in itertools.product((True, False), (1, 0)):
        near = grid >= grid[-1] - 0.3 * span if side else grid <= grid[0] + 0.3 * span
        low, high = (tolerance, 1e4 * tolerance) if upright else (1e-4 * tolerance, tolerance)
        taken[side, upright] = int(np.sum(near & (size >= low) & (size <= high))) if span else 0
    return min(taken, key=lambda place: taken[place])


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

"""The data of a trained pair beside what the trained sides give on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qrun_equiv import data as datasets
from qrun_equiv import points
from qrun_equiv.errors import ReportError
from qrun_equiv.frontends.base import Array
from qrun_equiv.pair import Pair
from qrun_equiv.reporting.subject import Subject
from qrun_equiv.reporting.svg import COLOURS, canvas

#: Most distinct targets that count as classes.
CLASSES = 12
#: Rows that the native circuits are run on, of a larger set.
NATIVE_ROWS = 400
_WIDTH = 5.4


@dataclass(frozen=True, slots=True)
class Fit:
    """Targets of a data set and the first output on its rows, at the trained parameters.

    Attributes:
        rows: features ``[rows, n_features]``, radians.
        target: ``[rows]``.
        output: ``[rows]`` of the counterpart.
        difference: largest difference to the first circuit, and on how many rows.
    """

    rows: Array
    target: Array
    output: Array
    difference: tuple[float, int]

    @property
    def classes(self) -> Array | None:
        """The distinct targets where they are few; ``None`` for a regression."""
        distinct = np.unique(self.target)
        return distinct if len(distinct) <= CLASSES else None

    @property
    def quality(self) -> str:
        """How well it fits, in words: the share of rows whose nearest class is theirs, or r.m.s."""
        error = self.output - self.target
        rms = f"root mean square error {np.sqrt(np.mean(error**2)):.3f}"
        if self.classes is None:
            return rms
        nearest = self.classes[np.argmin(np.abs(self.output[:, None] - self.classes), axis=1)]
        return f"{np.mean(nearest == self.target):.1%} of the rows nearest to their own class"


def targets(pair: Pair) -> Array | None:
    """Targets ``[rows]`` where the pair's rows are those of a bundled data set, else ``None``."""
    rows = pair.data
    if isinstance(rows, partial) and rows.func is datasets.angles:
        return datasets.load(*rows.args, **rows.keywords).target
    return None


def fit(pair: Pair, what: Subject) -> Fit:
    """The trained pair on its own data.

    Raises:
        ReportError: the pair has no trained parameters, or no targets are known.
    """
    target = targets(pair)
    if pair.trained is None or target is None:
        msg = "no trained parameters with a data set of known targets"
        raise ReportError(msg)
    assert what.counterpart is not None
    theta = points.vector(pair.trained, what.sizes.parameters, "trained")
    rows = np.asarray(pair.rows(), dtype=np.float64)
    with torch.no_grad():
        output = what.counterpart.values(rows, theta)[:, 0]
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), NATIVE_ROWS)).astype(int))
    native = what.circuits[0].values(rows[chosen], theta)[:, 0]
    worst = float(np.max(np.abs(native - output[chosen])))
    return Fit(rows, target, output, (worst, len(chosen)))


def fit_figure(found: Fit) -> Figure:
    """An image beside its fit, outputs by class, or outputs against targets."""
    if found.classes is not None:
        return _by_class(found, found.classes)
    if found.rows.shape[1] == 2 and (shape := _lattice(found.rows)) is not None:
        return _images(found, shape)
    figure = canvas(_WIDTH, 3.4, constrained=True)
    axes = figure.subplots()
    low, high = float(np.min(found.target)), float(np.max(found.target))
    axes.plot([low, high], [low, high], color=COLOURS["muted"], linewidth=1, label="target")
    axes.plot(
        found.target, found.output, "o", color=COLOURS["blue"], markersize=3, alpha=0.6,
        label="output", rasterized=len(found.target) > CLASSES,
    )  # fmt: skip
    axes.set_xlabel("target")
    axes.set_ylabel("output 0")
    axes.legend()
    return figure


def _by_class(found: Fit, classes: Array) -> Figure:
    figure = canvas(_WIDTH, 3.0, constrained=True)
    axes = figure.subplots()
    bins = np.linspace(
        min(-1.0, float(found.output.min())), max(1.0, float(found.output.max())), 41
    )
    colours = ("blue", "vermilion", "green", "purple")
    for index, value in enumerate(classes):
        mine = found.target == value
        colour, label = COLOURS[colours[index % 4]], f"target {value:g} ({int(mine.sum())} rows)"
        counts, _ = np.histogram(found.output[mine], bins)
        axes.stairs(counts, bins, fill=True, color=colour, alpha=0.25)
        axes.stairs(counts, bins, color=colour, linewidth=1.5, label=label)
    for middle in (classes[1:] + classes[:-1]) / 2:
        axes.axvline(middle, color=COLOURS["ink"], linewidth=0.9, linestyle=":")
    axes.set_xlabel("output 0 at the trained parameters")
    axes.set_ylabel("rows")
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, ncols=3, handlelength=1,
        columnspacing=1, fontsize=8.5,
    )  # fmt: skip
    return figure


def _lattice(rows: Array) -> tuple[int, int] | None:
    """Sides of the pixel grid whose coordinates the rows are, first feature slowest."""
    first, second = (len(np.unique(column)) for column in rows.T)
    if first * second != len(rows) or np.any(np.lexsort(rows.T[::-1]) != np.arange(len(rows))):
        return None
    return first, second


def _images(found: Fit, shape: tuple[int, int]) -> Figure:
    figure = canvas(_WIDTH, 2.9, constrained=True)
    panels = figure.subplots(1, 2)
    shown: Mapping[str, Array] = {"data": found.target, "fit": found.output}
    for axes, (name, values) in zip(panels, shown.items(), strict=True):
        _image(axes, name, values.reshape(shape))
    return figure


def _image(axes: Axes, name: str, pixels: Array) -> None:
    axes.imshow(pixels, cmap="gray", vmin=-1, vmax=1, interpolation="nearest",
                extent=(-np.pi, np.pi, np.pi, -np.pi))  # fmt: skip
    axes.set_title(name, fontsize=9.6)
    axes.set_xticks([-np.pi, 0, np.pi], ["−π", "0", "π"])
    axes.set_yticks([-np.pi, 0, np.pi], ["−π", "0", "π"])
    axes.set_xlabel("feature x1 (radians)")
    axes.set_ylabel("feature x0 (radians)")
    axes.grid(visible=False)

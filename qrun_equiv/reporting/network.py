"""Drawings of a single-qubit circuit and of the classical network that equals it.

The network is the matrix-product readout (:func:`qrun_equiv.readout.matrix_product`): inputs give
phases, phases give cosines and sines, and a chain of cores reads them out. Cores are drawn with
their numbers, as derived from the circuit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import FancyBboxPatch

from qrun_equiv.angle import Angle
from qrun_equiv.circuit import Circuit, Observable
from qrun_equiv.counterpart import MatrixProductCounterpart
from qrun_equiv.errors import ReportError
from qrun_equiv.frontends.base import Array
from qrun_equiv.reporting.svg import COLOURS

#: Most encoding gates that fit into a drawing.
MOST = 4
_SIGNED = LinearSegmentedColormap.from_list(
    "signed", [COLOURS["vermilion"], "#ffffff", COLOURS["blue"]]
)
_STEP, _HEIGHT = 3.15, 5.6


@dataclass(frozen=True, slots=True)
class Block:
    """A box of the circuit: one encoding gate, or a run of other gates.

    Attributes:
        title: gate name, or the block's symbol.
        angles: its angles as formulas.
        encodes: whether it reads a feature.
    """

    title: str
    angles: tuple[str, ...]
    encodes: bool


def formula(text: str) -> str:
    """``theta3*x0`` as a formula of matplotlib's."""
    text = re.sub(r"theta(\d+)", r"\\theta_{\1}", text)
    text = re.sub(r"\bx(\d+)", r"x_{\1}", text)
    return re.sub(r"\bpi\b", r"\\pi", text).replace("*", r"\,")


def _angle(angle: Angle | None) -> str:
    return "" if angle is None else formula(decimals(str(angle)))


def decimals(angle: str) -> str:
    """Long fractions to four digits: a drawing has no room for the exact ones."""
    return re.sub(r"\b(\d{4,})/(\d+)\b", lambda m: f"{int(m[1]) / int(m[2]):.4g}", angle)


def blocks(circuit: Circuit) -> list[Block]:
    """The boxes of a single-qubit circuit, in order of time.

    Raises:
        ReportError: several wires, or more than :data:`MOST` encoding gates.
    """
    encoding = circuit.encoding_gates()
    if circuit.n_wires != 1 or not 0 < len(encoding) <= MOST:
        msg = (
            f"the network is drawn for one wire and 1 to {MOST} encoding gates; this circuit has "
            f"{circuit.n_wires} wire(s) and {len(encoding)} encoding gate(s): choose another pair"
        )
        raise ReportError(msg)
    found: list[Block] = []
    run: list[str] = []
    count = 0

    def close() -> None:
        nonlocal count
        if run:
            count += 1
            found.append(Block(f"W_{{{count}}}", tuple(t for t in run if t), encodes=False))
            run.clear()

    for gate in circuit.gates:
        if gate in encoding:
            close()
            name = f"{gate.name[0]}_{{{gate.name[1:]}}}" if gate.name[:1] == "R" else gate.name
            found.append(Block(name, (_angle(gate.angle),), encodes=True))
        else:
            run.append(_angle(gate.angle))
    close()
    return found


# --- shapes --------------------------------------------------------------------------------------


def box(axes: Axes, centre: tuple[float, float], size: tuple[float, float], face: str) -> None:
    """A rounded box; ``face`` is what it stands for: feature, trained or readout."""
    (x, y), (width, height) = centre, size
    axes.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - height / 2), width, height,
            boxstyle="round,pad=0,rounding_size=0.12", facecolor=COLOURS[face],
            edgecolor=COLOURS["ink"], linewidth=1.0, zorder=2,
        )
    )  # fmt: skip


def text(axes: Axes, x: float, y: float, words: str, size: float, colour: str = "ink") -> None:
    """Centred text of a size in points."""
    axes.text(
        x, y, words, ha="center", va="center", fontsize=size, color=COLOURS[colour], zorder=4
    )  # fmt: skip


def arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    """An arrow from one point to another."""
    axes.annotate(
        "", end, start, zorder=1,
        arrowprops={
            "arrowstyle": "-|>,head_width=0.2,head_length=0.4", "color": COLOURS["muted"],
            "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0,
        },
    )  # fmt: skip


def _matrix(
    axes: Axes, centre: tuple[float, float], cell: float, values: Array, peak: float
) -> None:
    """Entries as coloured cells: blue positive, vermilion negative, white zero."""
    rows, columns = values.shape
    left, low = centre[0] - columns * cell / 2, centre[1] - rows * cell / 2
    axes.pcolormesh(
        left + cell * np.arange(columns + 1), low + cell * np.arange(rows + 1), values[::-1],
        cmap=_SIGNED, vmin=-peak, vmax=peak, edgecolors=COLOURS["rule"], linewidth=0.4, zorder=3,
    )  # fmt: skip


def frame(axes: Axes, width: float, height: float) -> None:
    """Axes of equal units without a frame, from the origin."""
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    axes.set_aspect("equal")
    axes.axis("off")


# --- drawings ------------------------------------------------------------------------------------


def draw_circuit(axes: Axes, circuit: Circuit, output: int, *, ratio: float = 0.3) -> None:
    """A single-qubit circuit as boxes on a wire, in a frame of the given height over width."""
    boxes = blocks(circuit)
    step = 1.85
    width = step * len(boxes) + 2.9
    height = width * ratio
    frame(axes, width, height)
    middle = 0.58 * height
    axes.plot([0.95, width - 1.2], [middle, middle], color=COLOURS["ink"], linewidth=1.4, zorder=1)
    text(axes, 0.45, middle, r"$|0\rangle$", 17)
    for index, block in enumerate(boxes):
        x = 1.95 + step * index
        face = "feature" if block.encodes else "trained"
        box(axes, (x, middle), (1.6, 1.8), face)
        text(axes, x, middle + 0.35, f"${block.title}$", 17)
        if block.encodes:
            text(axes, x, middle - 0.4, f"${block.angles[0]}$", 14)
        else:
            text(axes, x, middle - 0.4, _span(block.angles), 11.5)
    box(axes, (width - 0.75, middle), (1.2, 1.2), "readout")
    text(axes, width - 0.75, middle, _mean(circuit.observables[output]), 16)
    legend = "blue: reads the feature     grey: trainable rotations"
    text(axes, width / 2, middle - 2.2, legend, 13, "muted")


def _span(angles: tuple[str, ...]) -> str:
    """A run's angles: all of them, or the first and the last."""
    if not angles:
        return "fixed"
    if len(angles) == 1:
        return f"${angles[0]}$"
    return f"${angles[0]}$…${angles[-1]}$"


def _mean(observable: Observable) -> str:
    names = re.sub(r"\b([XYZ])0\b", r"\1", str(observable))
    return rf"$\langle {names} \rangle$"


def network_ratio(circuit: Circuit) -> float:
    """Height over width of the network's drawing."""
    return _HEIGHT / (_STEP * len(circuit.encoding_gates()) + 3.3)


def draw_network(
    axes: Axes,
    network: MatrixProductCounterpart,
    theta: Array,
    output: int,
    *,
    scale: float = 1.0,
) -> None:
    """The matrix-product readout with its numbers: phases, features, cores, output.

    ``scale`` multiplies the sizes of its texts.
    """
    angles = [g.angle for g in network.circuit.encoding_gates() if g.angle is not None]
    left, cores, right = (t.detach().numpy() for t in network.cores(torch.tensor(theta)))
    peak = float(max(np.abs(cores).max(), np.abs(right[:, output]).max()))
    frame(axes, _HEIGHT / network_ratio(network.circuit), _HEIGHT)
    features = sorted({i for a in angles for i in a.features()})
    inputs = ", ".join(f"x_{{{i}}}" for i in features)
    box(axes, (0.55, 5.1), (1.0, 0.75), "feature")
    text(axes, 0.55, 5.1, f"${inputs}$", 16 * scale)
    last = 2.6 + _STEP * (len(angles) - 1)
    axes.plot([1.05, last], [5.1, 5.1], color=COLOURS["muted"], linewidth=1.2, zorder=1)
    for index, angle in enumerate(angles):
        _draw_core(axes, 2.6 + _STEP * index, _angle(angle), cores[index], peak, scale)
    _matrix(axes, (0.42, 1.35), 0.22, left[:, None].T, peak)
    text(axes, 0.42, 0.9, "start", 12 * scale, "muted")
    starts = [0.9, *(2.6 + _STEP * k + 1.42 for k in range(len(angles)))]
    for start, end in zip(starts, [s + 0.31 for s in starts], strict=True):
        arrow(axes, (start, 1.35), (end, 1.35))
    _matrix(axes, (last + 1.9, 1.35), 0.24, right[:, [output]], peak)
    text(axes, last + 1.95, 0.55, "readout", 12 * scale, "muted")
    legend = f"cores of {left.size} by {left.size} numbers: blue positive, orange negative"
    text(axes, (2.6 + last) / 2, 0.25, legend, 12 * scale, "muted")
    arrow(axes, (last + 2.08, 1.35), (last + 2.38, 1.35))
    text(axes, last + 2.85, 1.35, "$f(x)$", 16 * scale)


def _draw_core(axes: Axes, x: float, angle: str, core: Array, peak: float, scale: float) -> None:
    """One column: phase, the features 1, cos, sin of it, and the three matrices that they weigh."""
    arrow(axes, (x, 5.1), (x, 4.68))
    box(axes, (x, 4.3), (2.0, 0.72), "feature")
    text(axes, x, 4.3, rf"$\varphi = {angle}$", 14 * scale)
    box(axes, (x, 1.35), (2.84, 1.3), "trained")
    for name, shift, matrix in zip(("1", "cos", "sin"), (-0.94, 0.0, 0.94), core, strict=True):
        if name != "1":
            arrow(axes, (x + 0.35 * np.sign(shift), 3.94), (x + shift, 3.45))
        text(axes, x + shift, 3.2, name if name == "1" else rf"{name} $\varphi$", 12.5 * scale)
        arrow(axes, (x + shift, 2.95), (x + shift, 1.8))
        _matrix(axes, (x + shift, 1.35), 0.175, matrix, peak)
        if shift:
            text(axes, x + shift / 2, 1.35, "+", 12 * scale)
